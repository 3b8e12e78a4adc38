// SPDX-License-Identifier: Apache-2.0

import CISAL
import Glibc

/// Makes whole gzip members (RFC 1952) from memory with ISA-L. Use one a thread: it owns its working memory.
final class GzipCompressor {
    private let stream: UnsafeMutablePointer<isal_zstream>
    private let levelBuffer: UnsafeMutablePointer<UInt8>
    private let levelBufferSize: UInt32
    private let level: UInt32
    private let inflater = GzipInflater()

    /// - Parameter level: ISA-L's 0 (fastest) to 3.
    init(level: UInt32) {
        self.level = min(level, 3)
        levelBufferSize = max(cisal_level_buffer_size(self.level), 1)
        levelBuffer = .allocate(capacity: Int(levelBufferSize))
        stream = .allocate(capacity: 1)
    }

    deinit {
        stream.deallocate()
        levelBuffer.deallocate()
    }

    /// Compresses one member and reads it back before it is trusted.
    /// - Parameter extra: an FEXTRA field without its length, at most 16 KiB (busybox 1.35 fails above).
    func member(of input: UnsafeRawBufferPointer, extra: [UInt8] = []) throws(ArchiveError) -> [UInt8] {
        var member = Self.header(extra: extra)
        let start = member.count
        // Stored blocks of 64 KiB cost five bytes each, plus the trailer: the worst that can come out.
        let room = input.count + input.count / 8192 + 1024
        member.reserveCapacity(start + room)
        let used = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: room)
        defer { used.deallocate() }

        // The match tables of the member before would choose other matches: equal input must give equal bytes,
        // whichever thread it falls to.
        memset(stream, 0, MemoryLayout<isal_zstream>.size)
        memset(levelBuffer, 0, Int(levelBufferSize))
        isal_deflate_stateless_init(stream)
        stream.pointee.level = level
        stream.pointee.level_buf = levelBuffer
        stream.pointee.level_buf_size = levelBufferSize
        stream.pointee.gzip_flag = UInt16(IGZIP_GZIP_NO_HDR)
        stream.pointee.end_of_stream = 1
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = used.baseAddress
        stream.pointee.avail_out = UInt32(room)
        let code = isal_deflate_stateless(stream)
        guard code == COMP_OK, stream.pointee.avail_in == 0 else {
            throw .compression(reason: "isal_deflate_stateless returned \(code)")
        }
        member.append(contentsOf: used[..<Int(stream.pointee.total_out)])
        try check(member, against: input)
        return member
    }

    /// A member whose content is one stored block: its size is known beforehand.
    static func storedMember(of content: [UInt8], extra: [UInt8]) -> [UInt8] {
        precondition(content.count < 65536, "one stored block holds less than 64 KiB")
        var member = header(extra: extra)
        let length = UInt16(content.count)
        member.append(1)
        member.append(contentsOf: littleEndian(length) + littleEndian(~length))
        member.append(contentsOf: content)
        let sum = content.withUnsafeBufferPointer { crc32_gzip_refl(0, $0.baseAddress, UInt64($0.count)) }
        member.append(contentsOf: littleEndian(sum) + littleEndian(UInt32(content.count)))
        return member
    }

    /// RFC 1952 section 2.3: no name, no time, so that equal input gives equal bytes.
    private static func header(extra: [UInt8]) -> [UInt8] {
        var header: [UInt8] = [0x1f, 0x8b, 8, extra.isEmpty ? 0 : 4, 0, 0, 0, 0, 0, 255]
        if !extra.isEmpty { header += littleEndian(UInt16(extra.count)) + extra }
        return header
    }

    private func check(_ member: [UInt8], against input: UnsafeRawBufferPointer) throws(ArchiveError) {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { scratch.deallocate() }
        var position = 0
        var fault: String?
        member.withUnsafeBytes { bytes in
            inflater.reset()
            inflater.feed(bytes)
            while fault == nil {
                switch inflater.inflate(into: scratch) {
                case .bytes(let count):
                    guard position + count <= input.count,
                        let made = scratch.baseAddress, let given = input.baseAddress,
                        memcmp(made, given.advanced(by: position), count) == 0
                    else {
                        fault = "a new member does not decompress to what went in"
                        return
                    }
                    position += count
                case .memberEnd:
                    if position != input.count { fault = "a new member is shorter than what went in" }
                    return
                case .needsInput: fault = "a new member has no end"
                case .failed(let reason): fault = reason
                }
            }
        }
        if let fault { throw .compression(reason: fault) }
    }
}

func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
