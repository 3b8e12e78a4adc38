// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The last gzip member: the tar's end-of-archive blocks, with one FEXTRA subfield that says where the index is.
///
/// Its length never varies, so it is found from the end of the file without reading anything else.
struct ArchiveFooter: Equatable {
    let indexOffset: UInt64
    let indexLength: UInt64
    let indexDigest: Digest

    /// Subfield identifier `MB` (RFC 1952 section 2.3.1.1), 48 bytes: offset, length, SHA-256.
    private static let identifier: [UInt8] = [UInt8(ascii: "M"), UInt8(ascii: "B")]
    private static let payload = 48
    /// Header 10, XLEN 2, subfield 4 + 48, stored block 5 + 1024, trailer 8.
    static let encodedLength = 10 + 2 + 4 + payload + 5 + 1024 + 8

    var member: GzipMember {
        var extra = Self.identifier + littleEndian(UInt16(Self.payload))
        extra += littleEndian(indexOffset) + littleEndian(indexLength) + indexDigest.bytes
        return .stored(TarEncoder.endOfArchive, header: GzipFrame.header(extra: extra))
    }

    func encoded() -> [UInt8] { member.bytes }

    init(indexOffset: UInt64, indexLength: UInt64, indexDigest: Digest) {
        self.indexOffset = indexOffset
        self.indexLength = indexLength
        self.indexDigest = indexDigest
    }

    /// - Parameter bytes: the last `encodedLength` bytes of a file.
    /// - Returns: `nil` where that is not a footer: the archive was cut, or somebody else made it.
    init?(decoding bytes: [UInt8]) {
        guard bytes.count == Self.encodedLength, bytes.starts(with: [0x1f, 0x8b, 8, 4]),
            Array(bytes[12..<14]) == Self.identifier
        else { return nil }
        func number(at offset: Int) -> UInt64 {
            bytes[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard let digest = Digest(bytes: Array(bytes[32..<64])) else { return nil }
        self.init(indexOffset: number(at: 16), indexLength: number(at: 24), indexDigest: digest)
        // Everything else is fixed, so comparing with a fresh encoding checks every other byte.
        guard encoded() == bytes else { return nil }
    }
}
