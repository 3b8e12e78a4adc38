// SPDX-License-Identifier: Apache-2.0

/// Content-Disposition for downloads (RFC 6266), names of any script by `filename*` (RFC 8187).
package enum ContentDisposition {
    /// `attachment` with the name as plain ASCII for old clients and, where that loses something, as UTF-8.
    package static func attachment(filename: String) -> String {
        // Clients save under the last component at best: no separators, so nothing is left to their care.
        // By scalars: a slash with a combining mark is one Character that is no longer "/".
        let name = replacing(filename) { $0 == "/" || $0 == "\\" || $0.value < 0x20 || $0.value == 0x7F }
        // Some clients decode % in the quoted form as well.
        let plain = replacing(name) { !$0.isASCII || "\"%".unicodeScalars.contains($0) }
        guard plain != name else { return "attachment; filename=\"\(plain)\"" }
        let encoded = PercentCoding.encode(name) { ASCII.isAlphanumeric($0) || "!#$&+-.^_`|~".utf8.contains($0) }
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(encoded)"
    }

    private static func replacing(_ text: String, where isUnwanted: (Unicode.Scalar) -> Bool) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isUnwanted($0) ? "_" : $0 }))
    }
}
