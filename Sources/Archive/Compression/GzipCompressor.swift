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
    func member(of input: [UInt8], alignment: Int = 1) throws(ArchiveError) -> GzipMember {
        let member: GzipMember
        if isWorthCompressing(input) {
            member = .deflated(try deflate(input, alignment))
        } else {
            let header = GzipFrame.header(before: StoredBlocks.length(of: input.count), alignment: alignment)
            member = .stored(input, header: header)
        }
        try check(member, against: input)
        return member
    }

    private func deflate(_ input: [UInt8], _ alignment: Int) throws(ArchiveError) -> [UInt8] {
        let room = StoredBlocks.length(of: input.count) + input.count / 8192 + 1024
        let longestHeader = GzipFrame.longestHeader(alignment: alignment)
        var fault: ArchiveError?
        let member = [UInt8](unsafeUninitializedCapacity: longestHeader + room) { buffer, count in
            do throws(ArchiveError) {
                let body = UnsafeMutableBufferPointer(rebasing: buffer[longestHeader...])
                let made = try input.withUnsafeBufferPointer { input throws(ArchiveError) in
                    try run(UnsafeRawBufferPointer(input), into: body)
                }
                // How long the header is, only the length of what follows it tells.
                let header = GzipFrame.header(before: made, alignment: alignment)
                count = header.count + made
                buffer.baseAddress.map { ($0 + header.count).update(from: $0 + longestHeader, count: made) }
                _ = buffer.update(fromContentsOf: header)
            } catch { fault = error }
        }
        if let fault { throw fault }
        return member
    }

    /// Deflate blocks and the trailer (RFC 1952 section 2.3.1), without the header.
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
    private func isWorthCompressing(_ input: [UInt8]) -> Bool {
        let sample = 16 << 10
        guard input.count >= 2 << 20, level > 0 else { return true }
        var made = 0
        for part in 0..<4 {
            let start = (input.count - sample) / 3 * part
            do throws(ArchiveError) {
                made += try input.withUnsafeBufferPointer { input throws(ArchiveError) in
                    let piece = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: input[start..<(start + sample)]))
                    return try run(piece, into: scratch.bytes.bindMemory(to: UInt8.self))
                }
            } catch { return true }
        }
        return made < 4 * sample * 9 / 10
    }

    private func check(_ member: GzipMember, against input: [UInt8]) throws(ArchiveError) {
        var reading = ReadBack()
        inflater.reset()
        input.withUnsafeBytes { given in
            member.forEachPiece { piece in
                guard reading.fault == nil else { return }
                inflater.feed(piece)
                compare(given, &reading)
            }
        }
        if reading.fault == nil, !reading.hasEnded {
            reading.fault = .init(zh: "新成员没有结尾", en: "a new member has no end")
        }
        if let fault = reading.fault { throw .compression(reason: fault) }
    }

    private struct ReadBack {
        var position = 0
        var hasEnded = false
        var fault: BilingualText?
    }

    /// Inflates what was fed and holds it against what was given.
    private func compare(_ given: UnsafeRawBufferPointer, _ reading: inout ReadBack) {
        while true {
            switch inflater.inflate(into: scratch.bytes) {
            case .bytes(let count):
                guard reading.position + count <= given.count,
                    let made = scratch.bytes.baseAddress, let start = given.baseAddress,
                    memcmp(made, start.advanced(by: reading.position), count) == 0
                else {
                    reading.fault = .init(zh: "新成员解压后与输入不同", en: "a new member does not decompress to what went in")
                    return
                }
                reading.position += count
            case .memberEnd:
                reading.hasEnded = true
                if reading.position != given.count {
                    reading.fault = .init(zh: "新成员比输入短", en: "a new member is shorter than what went in")
                }
                return
            case .needsInput: return
            case .failed(let reason):
                reading.fault = reason
                return
            }
        }
    }
}
