// SPDX-License-Identifier: Apache-2.0

/// For who has only the texts of places.
package enum PlaceText {
    /// Sixteen hexadecimal digits that tell two texts apart.
    package static func digest(_ text: String) -> String { String(PlaceName.digest(text).dropFirst()) }
}

/// A place with artifacts as a person is told of it, and as places are compared: scheme, host and names, of which nothing lets anybody in.
///
/// Passwords stand in stranger places than before an `@`: with a slash in them (`s3://KEY:SEC/RET@bucket`), in a scheme without slashes
/// (`sftp:user:PW@host`), behind an encoded question mark. So what is shown is what is known to be harmless, and a digest of the rest.
struct PlaceName: Hashable, Sendable {
    /// `file` for a path of this machine or a container, `.` for one that hangs on a folder nobody knows.
    let scheme: String
    let host: String
    let names: [String]

    private init(_ scheme: String, _ host: String, _ parts: PathParts) {
        self.scheme = scheme
        self.host = host
        names = parts.names.map(Self.harmless)
    }

    /// - Returns: `nil` for what names another row, and for nothing.
    init?(_ text: String) {
        let (named, authority, path) = ArtifactLocation.split(text)
        let scheme = named ?? ""
        switch ArtifactLocation(text) {
        case .reference: return nil
        case .served(let parts): self.init("mlflow-artifacts", Self.host("http", authority), parts)
        case .local(let parts): self.init("file", "", parts)
        case .relative: self.init(".", "", PathParts(path: path))
        case .remote where Self.isPlain(text, scheme, authority):
            self.init(scheme, Self.host(scheme, authority), PathParts(encoded: path))
        case .remote:
            // Nobody knows what of it lets one in: not even what stands before a colon.
            let known = Self.schemes.contains(scheme) ? scheme : "unknown"
            let rest = text.lastIndex(of: "@").map { text[text.index(after: $0)...] } ?? text[...]
            self.init(known, Self.digest(String(rest)), PathParts([]))
        }
    }

    /// Those of which it is known what stands where.
    private static let schemes: Set<String> = [
        "s3", "s3a", "s3n", "gs", "wasb", "wasbs", "abfs", "abfss", "adl", "hdfs", "viewfs", "dbfs", "sftp", "ftp",
        "ftps",
        "http", "https", "webdav", "webdavs", "file", "oss", "azureml", "b2", "r2", "cos", "obs", "swift",
    ]

    /// Whether a URI is of the usual form: whatever else there is may be a password, with a slash or a question mark in it.
    private static func isPlain(_ text: String, _ scheme: String, _ authority: String) -> Bool {
        let rest = text.dropFirst(scheme.count + 1)
        let behind = rest.dropFirst(2 + authority.count)
        // What was shown of one that is not.
        if isDigest(authority), rest.hasPrefix("//"), behind.isEmpty { return true }
        guard schemes.contains(scheme) else { return false }
        if !rest.hasPrefix("//") { return scheme == "dbfs" || scheme == "hdfs" || scheme == "viewfs" }
        if behind.contains("@") { return false }
        guard ["s3", "s3a", "s3n", "gs"].contains(scheme) else { return true }
        // A bucket has no port; a host may.
        let host = authority.split(separator: "@").last ?? ""
        return !host.contains(":") || host.contains(".")
    }

    /// - Parameter count: how many names of it are shown; `nil` for all.
    func text(_ count: Int? = nil) -> String {
        let shown = names.prefix(count ?? .max)
        let path = shown.map { $0.replacing(" ", with: "%20") }.joined(separator: "/")
        return switch scheme {
        // What has a space is a URI, so that it can be put into a list as it is.
        case "file" where host.isEmpty: shown.contains { $0.contains(" ") } ? "file:///" + path : "/" + path
        case ".": "./" + path
        case _ where host.isEmpty: scheme + ":/" + path
        default: scheme + "://" + host + (path.isEmpty ? "" : "/" + path)
        }
    }

    /// One name directly below what a server serves.
    static func text(ofServed name: String) -> String { harmless(Array(name.utf8)).replacing(" ", with: "%20") }

    /// Whether another one is this place, or below it by whole names.
    func holds(_ other: PlaceName) -> Bool {
        scheme == other.scheme && host == other.host && other.names.starts(with: names)
    }

    /// Host and port; of Azure the container, too. The case of a host and the port that everybody means make no other one.
    private static func host(_ scheme: String, _ authority: String) -> String {
        let authority = ArtifactLocation.withoutCredentials(scheme, authority)
        var host = authority.lowercased()
        for (of, port) in [("https", ":443"), ("http", ":80")] where scheme == of && host.hasSuffix(port) {
            host.removeLast(port.count)
        }
        let parts = host.split(separator: "@", omittingEmptySubsequences: false)
        let isAddress =
            parts.count <= 2
            && parts.allSatisfy { part in
                let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
                let isPort = pieces.count < 2 || pieces.count == 2 && pieces[1].allSatisfy { $0.isASCII && $0.isNumber }
                return isPort && pieces.first?.isEmpty == false && pieces[0].utf8.allSatisfy { isOfHost($0) }
            }
        return host.isEmpty || isAddress || isDigest(host) ? host : digest(authority)
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
    }

    private static func harmless(_ name: [UInt8]) -> String {
        guard let text = String(validating: name, as: UTF8.self), text.unicodeScalars.count <= 100 else {
            return digest(String(decoding: name, as: UTF8.self))
        }
        let isHarmless = text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .otherLetter, .decimalNumber, .modifierLetter, .nonspacingMark:
                true
            default: " ._-+,~".unicodeScalars.contains(scalar)
            }
        }
        return isHarmless || isDigest(text) ? text : digest(text)
    }

    /// FNV-1a of 64 bits: names are compared by it, and no more than that hangs on it.
    static func digest(_ text: String) -> String {
        let sum = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        let hex = String(sum, radix: 16)
        return "…" + String(repeating: "0", count: 16 - hex.count) + hex
    }

    private static func isDigest(_ text: String) -> Bool {
        text.hasPrefix("…") && text.dropFirst().utf8.count == 16
            && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
