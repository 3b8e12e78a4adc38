// SPDX-License-Identifier: Apache-2.0

import Crypto
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
        guard let place = place(in: bytes) else { return withoutFlippedBitInKey(bytes) }
        let right = Array(digest(bytes, place).utf8)
        if differsInOneBit(bytes[place], right) { return bytes.replacing(place, with: right) }
        let stated = String(decoding: bytes[place], as: UTF8.self)
        var tried = bytes.replacing(place, with: Array(blank.utf8))
        // What comes before the bit is taken once for all of its eight.
        var before = SHA256()
        for index in tried.indices {
            for bit in 0..<8 where !place.contains(index) {
                tried[index] ^= 1 << UInt8(bit)
                var hash = before.copy()
                tried[index...].withUnsafeBytes { hash.update($0) }
                if hash.finish().hex == stated { return tried.replacing(place, with: Array(bytes[place])) }
                tried[index] ^= 1 << UInt8(bit)
            }
            tried[index...index].withUnsafeBytes { before.update($0) }
        }
        return nil
    }

    private static func withoutFlippedBitInKey(_ bytes: [UInt8]) -> [UInt8]? {
        for start in bytes.indices.dropLast(key.count) where differsInOneBit(bytes[start..<start + key.count], key) {
            let mended = bytes.replacing(start..<start + key.count, with: key)
            if isWhole(mended) == true { return mended }
        }
        return nil
    }

    private static func differsInOneBit(_ some: ArraySlice<UInt8>, _ others: [UInt8]) -> Bool {
        var bits = 0
        for (one, other) in zip(some, others) where one != other {
            bits += (one ^ other).nonzeroBitCount
            if bits > 1 { return false }
        }
        return bits == 1
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

extension [UInt8] {
    fileprivate func replacing(_ place: Range<Int>, with bytes: [UInt8]) -> [UInt8] {
        var replaced = self
        replaced.replaceSubrange(place, with: bytes)
        return replaced
    }
}
