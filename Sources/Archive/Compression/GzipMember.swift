// SPDX-License-Identifier: Apache-2.0

import CISAL
import Glibc
import SystemIO
import Wording

/// Makes whole gzip members (RFC 1952) from memory with ISA-L. Use one a thread: it owns its working memory.
final class GzipCompressor {
    private let stream: UnsafeMutablePointer<isal_zstream>
    private let levelBuffer: UnsafeMutablePointer<UInt8>
    private let levelBufferSize: UInt32
    private let level: UInt32
    private let inflater = GzipInflater()
    private let scratch = PageBuffer(count: 256 << 10)

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
    /// - Parameter alignment: the member's length becomes a multiple of this many bytes, by an FEXTRA subfield in its
    ///   own header; nothing may stand between members.
    func member(of input: UnsafeRawBufferPointer, alignment: Int = 1) throws(ArchiveError) -> [UInt8] {
        let room = StoredBlocks.length(of: input.count) + input.count / 8192 + 1024
        let longestHeader = GzipFrame.longestHeader(alignment: alignment)
        var fault: ArchiveError?
        let member = [UInt8](unsafeUninitializedCapacity: longestHeader + room) { buffer, count in
            do throws(ArchiveError) {
                let made = try deflate(input, into: UnsafeMutableBufferPointer(rebasing: buffer[longestHeader...]))
                // How long the header is, only the length of what follows it tells.
                let header = GzipFrame.header(before: made, alignment: alignment)
                count = header.count + made
                buffer.baseAddress.map { ($0 + header.count).update(from: $0 + longestHeader, count: made) }
                _ = buffer.update(fromContentsOf: header)
            } catch { fault = error }
        }
        if let fault { throw fault }
        try check(member, against: input)
        return member
    }

    /// Deflate blocks and the trailer (RFC 1952 section 2.3.1), without the header.
    private func deflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>
    ) throws(ArchiveError) -> Int {
        if !isWorthCompressing(input) { return StoredBlocks.write(input, into: output) }
        return try run(input, into: output)
    }

    private func run(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>
    ) throws(ArchiveError) -> Int {
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
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        let code = isal_deflate_stateless(stream)
        guard code == COMP_OK, stream.pointee.avail_in == 0 else {
            throw .compression(
                reason: .init(zh: "isal_deflate_stateless 返回 \(code)", en: "isal_deflate_stateless returned \(code)"))
        }
        return Int(stream.pointee.total_out)
    }

    /// Four samples tell whether a large member gains a tenth: weights hardly do, and cost more time than all the rest.
    private func isWorthCompressing(_ input: UnsafeRawBufferPointer) -> Bool {
        let sample = 16 << 10
        guard input.count >= 2 << 20, level > 0 else { return true }
        var made = 0
        for part in 0..<4 {
            let start = (input.count - sample) / 3 * part
            let piece = UnsafeRawBufferPointer(rebasing: input[start..<(start + sample)])
            do throws(ArchiveError) { made += try run(piece, into: scratch.bytes.bindMemory(to: UInt8.self)) } catch {
                return true
            }
        }
        return made < 4 * sample * 9 / 10
    }

    private func check(_ member: [UInt8], against input: UnsafeRawBufferPointer) throws(ArchiveError) {
        var position = 0
        var fault: BilingualText?
        member.withUnsafeBytes { bytes in
            inflater.reset()
            inflater.feed(bytes)
            while fault == nil {
                switch inflater.inflate(into: scratch.bytes) {
                case .bytes(let count):
                    guard position + count <= input.count,
                        let made = scratch.bytes.baseAddress, let given = input.baseAddress,
                        memcmp(made, given.advanced(by: position), count) == 0
                    else {
                        fault = .init(zh: "新成员解压后与输入不同", en: "a new member does not decompress to what went in")
                        return
                    }
                    position += count
                case .memberEnd:
                    if position != input.count {
                        fault = .init(zh: "新成员比输入短", en: "a new member is shorter than what went in")
                    }
                    return
                case .needsInput: fault = .init(zh: "新成员没有结尾", en: "a new member has no end")
                case .failed(let reason): fault = reason
                }
            }
        }
        if let fault { throw .compression(reason: fault) }
    }
}

/// The header of a gzip member (RFC 1952 section 2.3), with one FEXTRA subfield where it needs one.
enum GzipFrame {
    /// Subfield `MP`: bytes that mean nothing and make a member's length a multiple of the file system's block.
    private static let padding: [UInt8] = [UInt8(ascii: "M"), UInt8(ascii: "P")]

    /// No name and no time, so that equal input gives equal bytes.
    /// - Parameter extra: an FEXTRA field without its length, at most 16 KiB (busybox 1.35 fails above).
    static func header(extra: [UInt8] = []) -> [UInt8] {
        var header: [UInt8] = [0x1f, 0x8b, 8, extra.isEmpty ? 0 : 4, 0, 0, 0, 0, 0, 255]
        if !extra.isEmpty { header += littleEndian(UInt16(extra.count)) + extra }
        return header
    }

    /// Bytes before deflated ones that `header(before:alignment:)` may need.
    static func longestHeader(alignment: Int) -> Int { alignment == 1 ? 10 : 16 + alignment }

    /// The header that makes a member's length a multiple of `alignment`, at most 16 KiB.
    static func header(before deflated: Int, alignment: Int) -> [UInt8] {
        let bare = 10 + deflated
        guard bare % alignment != 0 else { return header() }
        // XLEN, the subfield's name and its length take six bytes themselves.
        let fill = (alignment - (bare + 6) % alignment) % alignment
        return header(extra: padding + littleEndian(UInt16(fill)) + [UInt8](repeating: 0, count: fill))
    }

    /// A member whose content is one stored block: its size is known beforehand.
    static func stored(_ content: [UInt8], extra: [UInt8]) -> [UInt8] {
        var body = [UInt8](repeating: 0, count: StoredBlocks.length(of: content.count))
        content.withUnsafeBytes { input in
            body.withUnsafeMutableBufferPointer { _ = StoredBlocks.write(input, into: $0) }
        }
        return header(extra: extra) + body
    }
}

/// Deflate blocks that are not compressed (RFC 1951 section 3.2.4), and the trailer of their member.
enum StoredBlocks {
    private static let longest = 65535

    /// Bytes that `write` makes of `count` bytes.
    static func length(of count: Int) -> Int { count + max(1, (count + longest - 1) / longest) * 5 + 8 }

    static func write(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var made = 0
        func put(_ bytes: some Collection<UInt8>) {
            made = output[made...].update(fromContentsOf: bytes)
        }
        var position = 0
        repeat {
            let end = min(position + longest, input.count)
            let length = UInt16(end - position)
            put(CollectionOfOne(end == input.count ? 1 : 0))
            put(littleEndian(length))
            put(littleEndian(~length))
            put(input[position..<end])
            position = end
        } while position < input.count
        let start = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        put(littleEndian(crc32_gzip_refl(0, start, UInt64(input.count))))
        put(littleEndian(UInt32(truncatingIfNeeded: input.count)))
        return made
    }
}

func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
