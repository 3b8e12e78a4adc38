// SPDX-License-Identifier: Apache-2.0

/// What a Range header selects of a representation (RFC 9110 §14.1.2).
package enum ByteRange: Sendable, Equatable {
    /// No range asked for, or one to be ignored: invalid, another unit, or several ranges.
    case whole
    /// `length` bytes from `offset` on; at least one.
    case part(offset: UInt64, length: UInt64)
    /// Valid, and outside the representation: 416.
    case unsatisfiable

    /// Reads `bytes=a-b`, `bytes=a-` or `bytes=-n` against a representation of `size` bytes.
    package init(header: String?, size: UInt64) {
        self = header.flatMap { ByteRange.parse($0, size: size) } ?? .whole
    }

    private static func parse(_ header: String, size: UInt64) -> ByteRange? {
        guard let equals = header.firstIndex(of: "="), ASCII.equalIgnoringCase(String(header[..<equals]), "bytes")
        else { return nil }
        let range = ASCII.trimmed(header[header.index(after: equals)...])
        guard let dash = range.firstIndex(of: "-") else { return nil }
        let (left, right) = (range[..<dash], range[range.index(after: dash)...])

        if left.isEmpty {
            guard let suffix = number(right) else { return nil }
            if suffix == 0 { return .unsatisfiable }
            // An empty representation is all its last bytes, and 206 has no way to say so.
            return size == 0 ? .whole : .part(offset: size - min(suffix, size), length: min(suffix, size))
        }
        guard let first = number(left) else { return nil }
        var last = UInt64.max
        if !right.isEmpty {
            guard let given = number(right), given >= first else { return nil }
            last = given
        }
        guard first < size else { return .unsatisfiable }
        return .part(offset: first, length: min(last, size - 1) - first + 1)
    }

    /// Decimal digits only; a number too large is as good as the largest.
    private static func number(_ text: Substring) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy(ASCII.isDigit) else { return nil }
        return UInt64(text) ?? .max
    }
}
