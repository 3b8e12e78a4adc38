// SPDX-License-Identifier: Apache-2.0

import CISAL
import Wording

/// Streaming inflation of gzip members with ISA-L; checksums are checked (RFC 1952 section 2.3.1).
final class GzipInflater {
    enum Step: Equatable {
        case bytes(Int)
        /// A member ended and its checksum was right. Whatever was fed and not used begins the next.
        case memberEnd
        case needsInput
        case failed(BilingualText)
    }

    /// Bits of earlier input that ISA-L keeps in a register, and gives back when a member ends.
    private static let mostBitsHeld: UInt32 = 64
    private let state: UnsafeMutablePointer<inflate_state>

    init() {
        state = .allocate(capacity: 1)
        reset()
    }

    deinit { state.deallocate() }

    /// Gets ready for the first byte of a member; input that was fed stays fed.
    func beginMember() {
        let next = state.pointee.next_in
        let available = state.pointee.avail_in
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
        state.pointee.next_in = next
        state.pointee.avail_in = available
    }

    func reset() {
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
        state.pointee.next_in = nil
        state.pointee.avail_in = 0
    }

    /// Input that has not been used yet, in bytes.
    var unused: Int { Int(state.pointee.avail_in) }

    /// The first unused byte, to tell padding from another member.
    var nextByte: UInt8? { unused > 0 ? state.pointee.next_in?.pointee : nil }

    func skipInput(_ count: Int) {
        state.pointee.next_in = state.pointee.next_in?.advanced(by: count)
        state.pointee.avail_in -= UInt32(count)
    }

    /// - Parameter input: must stay where it is until it is used up; what was fed before must be used up.
    func feed(_ input: UnsafeRawBufferPointer) {
        state.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        state.pointee.avail_in = UInt32(input.count)
    }

    func inflate(into output: UnsafeMutableRawBufferPointer) -> Step {
        state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(output.count)
        let fed = state.pointee.avail_in
        let code = isal_inflate(state)
        // On invalid data at the end of its input ISA-L 2.30 may give back bits it never had: `avail_in` wraps
        // around, and `next_in` points behind the input. Neither may be used again.
        guard state.pointee.avail_in <= fed + Self.mostBitsHeld / 8 else {
            state.pointee.next_in = nil
            state.pointee.avail_in = 0
            return .failed(.init(zh: "压缩数据无效", en: "the compressed data is not valid"))
        }
        let made = output.count - Int(state.pointee.avail_out)
        switch code {
        case ISAL_DECOMP_OK, ISAL_END_INPUT:
            if made > 0 { return .bytes(made) }
            return state.pointee.block_state == ISAL_BLOCK_FINISH ? .memberEnd : .needsInput
        case ISAL_INCORRECT_CHECKSUM:
            return .failed(.init(zh: "gzip 成员的校验和错误", en: "the checksum of a gzip member is wrong"))
        case ISAL_UNSUPPORTED_METHOD, ISAL_INVALID_WRAPPER: return .failed(.init(zh: "不是 gzip", en: "this is not gzip"))
        default: return .failed(.init(zh: "压缩数据无效（代码 \(code)）", en: "the compressed data is not valid (code \(code))"))
        }
    }
}
