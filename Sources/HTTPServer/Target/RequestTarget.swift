// SPDX-License-Identifier: Apache-2.0

/// What a request asks for (RFC 9112 §3.2): origin form, absolute form, or `*`.
package struct RequestTarget: Sendable {
    /// As sent, percent-encoded, without the query. `*` for the asterisk form.
    package let rawPath: String
    /// Segments of the path; `/` has none, `/a/` has `a` and an empty one.
    package let segments: [PathSegment]
    package let query: HTTPQuery
    /// Whom an absolute form names; `nil` in the other forms.
    package let authority: String?

    /// `nil` when it is none of the forms, or holds a space or a control character.
    package init?(_ text: String) {
        self.init(bytes: Array(text.utf8))
    }

    init?(bytes: [UInt8]) {
        guard bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        guard let (authority, origin) = RequestTarget.parts(bytes[...]) else { return nil }
        self.authority = authority.map { String(decoding: $0, as: UTF8.self) }
        let mark = origin.firstIndex(of: UInt8(ascii: "?"))
        let path = origin[..<(mark ?? origin.endIndex)]
        rawPath = String(decoding: path, as: UTF8.self)
        query = HTTPQuery(bytes: mark.map { origin[($0 + 1)...] } ?? [])
        let slash = UInt8(ascii: "/")
        segments =
            path.count > 1
            ? path.dropFirst().split(separator: slash, omittingEmptySubsequences: false).map { PathSegment($0) } : []
    }

    /// The decoded path, or `nil` when a segment of it cannot be a name.
    package var path: String? {
        let names = segments.compactMap(\.name)
        guard names.count == segments.count else { return nil }
        return rawPath == "*" ? "*" : "/" + names.joined(separator: "/")
    }

    /// Path and query, and the authority of an absolute form, which every server must accept (RFC 9112 §3.2.2).
    private static func parts(
        _ bytes: ArraySlice<UInt8>
    ) -> (authority: ArraySlice<UInt8>?, origin: ArraySlice<UInt8>)? {
        if bytes.first == UInt8(ascii: "/") || bytes.elementsEqual("*".utf8) { return (nil, bytes) }
        for scheme in ["http://", "https://"] {
            guard bytes.prefix(scheme.utf8.count).map(ASCII.lowercase).elementsEqual(scheme.utf8) else { continue }
            let after = bytes.dropFirst(scheme.utf8.count)
            let end = after.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? after.endIndex
            let rest = after[end...]
            return (after[..<end], rest.first == UInt8(ascii: "/") ? rest : ArraySlice("/".utf8) + rest)
        }
        return nil
    }
}
