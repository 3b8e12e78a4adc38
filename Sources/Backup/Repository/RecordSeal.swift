// SPDX-License-Identifier: Apache-2.0

import Archive

/// The digest over a record that is part of it, so that no flipped bit in it rules what may go, what is live, or whose it
/// is: it is the SHA-256 of the file with zeros in the digest's own place. Records of 0.1.0 have none.
enum RecordSeal {
    /// In the place of the digest while it is taken.
    static let blank = String(repeating: "0", count: 64)
    private static let key = Array("\"seal\" : \"".utf8)

    /// - Parameter bytes: a record as it is encoded, with `blank` for its seal.
    static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        guard let place = place(in: bytes) else { return bytes }
        var bytes = bytes
        bytes.replaceSubrange(place, with: Array(digest(bytes, place).utf8))
        return bytes
    }

    /// - Returns: `nil` where there is none.
    static func isWhole(_ bytes: [UInt8]) -> Bool? {
        guard let place = place(in: bytes) else { return nil }
        return Array(digest(bytes, place).utf8) == Array(bytes[place])
    }

    /// The bytes as they were before one bit of them flipped: no other file that differs in one bit has this digest.
    static func withoutFlippedBit(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count <= 16 << 10 else { return nil }
        var tried = bytes
        for index in tried.indices {
            for bit in 0..<8 {
                tried[index] ^= 1 << UInt8(bit)
                if isWhole(tried) == true { return tried }
                tried[index] ^= 1 << UInt8(bit)
            }
        }
        return nil
    }

    private static func digest(_ bytes: [UInt8], _ place: Range<Int>) -> String {
        var hash = SHA256()
        bytes[..<place.lowerBound].withUnsafeBytes { hash.update($0) }
        Array(blank.utf8).withUnsafeBytes { hash.update($0) }
        bytes[place.upperBound...].withUnsafeBytes { hash.update($0) }
        return hash.finish().hex
    }

    private static func place(in bytes: [UInt8]) -> Range<Int>? {
        guard bytes.count >= key.count + blank.utf8.count else { return nil }
        // Keys are sorted, and few come after it.
        var start = bytes.count - key.count - blank.utf8.count
        while start >= 0 {
            if bytes[start] == key[0], bytes[start..<start + key.count].elementsEqual(key) {
                return start + key.count..<start + key.count + blank.utf8.count
            }
            start -= 1
        }
        return nil
    }
}
