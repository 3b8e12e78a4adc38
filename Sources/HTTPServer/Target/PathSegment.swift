// SPDX-License-Identifier: Apache-2.0

/// One segment of a path, between two slashes.
package struct PathSegment: Sendable, Equatable {
    /// As sent, percent-encoded.
    package let raw: String
    /// Decoded, or `nil` when it cannot be a name: it is `.` or `..`, holds an encoded slash or NUL, or does not
    /// decode to UTF-8. Such a segment matches no route and no name.
    package let name: String?

    init(_ bytes: some Collection<UInt8>) {
        raw = String(decoding: bytes, as: UTF8.self)
        guard let decoded = PercentCoding.decode(bytes), !decoded.contains(UInt8(ascii: "/")), !decoded.contains(0),
            let text = String(validating: decoded, as: UTF8.self), text != ".", text != ".."
        else {
            name = nil
            return
        }
        name = text
    }
}
