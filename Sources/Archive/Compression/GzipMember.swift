// SPDX-License-Identifier: Apache-2.0

import CISAL
import Glibc
import SystemIO

/// The bytes of a gzip member (RFC 1952) on their way into a file.
enum GzipMember: Sendable {
    case deflated([UInt8])
    /// Blocks that are not compressed, around bytes that stay where they were read: a chunk of weights takes its room in memory once.
    case stored([UInt8], header: [UInt8], trailer: [UInt8])

    static func stored(_ content: [UInt8], header: [UInt8]) -> GzipMember {
        .stored(content, header: header, trailer: StoredBlocks.trailer(of: content))
    }

    var count: Int {
        switch self {
        case .deflated(let bytes): bytes.count
        case .stored(let content, let header, _): header.count + StoredBlocks.length(of: content.count)
        }
    }

    var bytes: [UInt8] {
        var all: [UInt8] = []
        all.reserveCapacity(count)
        forEachPiece { all += $0 }
        return all
    }

    /// Calls `body` with each piece, in their order.
    func forEachPiece<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        switch self {
        case .deflated(let bytes): try bytes.asPiece(body)
        case .stored(let content, let header, let trailer):
            try header.asPiece(body)
            try StoredBlocks.forEachPiece(of: content, body)
            try trailer.asPiece(body)
        }
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
}

/// Deflate blocks that are not compressed (RFC 1951 section 3.2.4), and the trailer of their member.
enum StoredBlocks {
    private static let longest = 65535

    /// Bytes of all pieces that are made of `count` bytes.
    static func length(of count: Int) -> Int { count + max(1, (count + longest - 1) / longest) * 5 + 8 }

    static func forEachPiece<Failure: Error>(
        of content: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        try content.asPiece { (input: UnsafeRawBufferPointer) throws(Failure) in
            var position = 0
            repeat {
                let end = min(position + longest, input.count)
                let length = UInt16(end - position)
                let isLast: UInt8 = end == input.count ? 1 : 0
                try ([isLast] + littleEndian(length) + littleEndian(~length)).asPiece(body)
                try body(UnsafeRawBufferPointer(rebasing: input[position..<end]))
                position = end
            } while position < input.count
        }
    }

    /// CRC-32 and length (RFC 1952 section 2.3.1). Once a member: its pieces are gone through several times.
    static func trailer(of content: [UInt8]) -> [UInt8] {
        let sum = content.withUnsafeBufferPointer { crc32_gzip_refl(0, $0.baseAddress, UInt64($0.count)) }
        return littleEndian(sum) + littleEndian(UInt32(truncatingIfNeeded: content.count))
    }
}

extension [UInt8] {
    fileprivate func asPiece<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        try withUnsafeBufferPointer { (bytes: UnsafeBufferPointer<UInt8>) throws(Failure) in
            try body(UnsafeRawBufferPointer(bytes))
        }
    }
}

func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
