// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension RemoteLocation {
    /// - Parameter text: a URI as MLflow has it (`s3://bucket/prefix`), or `rclone:REMOTE:path`.
    /// - Throws: `.badLocation`, `.unsupportedScheme`. Neither shows the text.
    package init(_ text: String) throws(ObjectStoreError) {
        if text.unicodeScalars.contains(where: \.steersDisplay) { throw .badLocation(reason: "control characters") }
        if text.hasPrefix("rclone:") {
            self = try Self.ofRclone(text.dropFirst("rclone:".count))
            return
        }
        guard let mark = text.firstRange(of: "://") else { throw .badLocation(reason: "no scheme") }
        let rest = text[mark.upperBound...]
        let scheme = text[..<mark.lowerBound].lowercased()
        // A fragment or a query would be part of a key to one reader and none to another.
        if rest.contains("?") || rest.contains("#") { throw .badLocation(reason: "a query or a fragment") }
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        switch scheme {
        // MLflow takes keys as they stand there, and paths of servers as URLs have them.
        case "s3", "s3a", "s3n": kind = .s3(bucket: try Self.bucket(authority))
        case "gs": kind = .googleCloud(bucket: try Self.bucket(authority))
        case "wasb", "wasbs", "abfs", "abfss": kind = try Self.azure(authority)
        case "sftp": kind = .sftp(try Self.host(authority))
        case "ftp": kind = .ftp(try Self.host(authority))
        case "hdfs", "viewfs": kind = .hdfs(try Self.host(authority))
        case "webdav", "dav": kind = .webDAV(try Self.host(authority), isEncrypted: false)
        case "webdavs", "davs", "https": kind = .webDAV(try Self.host(authority), isEncrypted: true)
        case "http": kind = .webDAV(try Self.host(authority), isEncrypted: false)
        default: throw .unsupportedScheme(String(scheme.prefix(20)).shown)
        }
        self.path = try Self.path(Array(path.utf8), isEncoded: Self.hasEncodedPath(kind))
    }

    private static func hasEncodedPath(_ kind: Kind) -> Bool {
        switch kind {
        case .sftp, .ftp, .hdfs, .webDAV: true
        default: false
        }
    }

    /// Without the slashes at its ends. Inside, `a//b` and `..` are names to a bucket and none to what has folders.
    private static func path(_ raw: [UInt8], isEncoded: Bool) throws(ObjectStoreError) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        var path = (isEncoded ? PercentEncoding.decode(raw) : raw)[...]
        while path.first == slash { path = path.dropFirst() }
        while path.last == slash { path = path.dropLast() }
        let parts = path.split(separator: slash, omittingEmptySubsequences: false)
        if parts.contains(where: { $0.elementsEqual("..".utf8) || $0.elementsEqual(".".utf8) }) {
            throw .badLocation(reason: "`.` or `..` in its path")
        }
        if path.contains(where: { $0 < 0x20 || $0 == 0x7f }) { throw .badLocation(reason: "control characters") }
        return Array(path)
    }

    private static func bucket(_ authority: Substring) throws(ObjectStoreError) -> String {
        let isPlain = authority.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_")].contains(byte)
        }
        guard isPlain, !authority.isEmpty, authority != ".", authority != ".." else {
            throw .badLocation(reason: "no name of a bucket")
        }
        return String(authority)
    }

    /// `CONTAINER@ACCOUNT.blob.core.windows.net`. The second form is that of Data Lake Storage: the same objects.
    private static func azure(_ authority: Substring) throws(ObjectStoreError) -> Kind {
        let parts = authority.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw .badLocation(reason: "more than one @") }
        let host = parts.count == 2 ? try bucket(parts[1]).replacing(".dfs.", with: ".blob.", maxReplacements: 1) : ""
        return .azureBlob(container: try bucket(parts[0]), host: host)
    }

    private static func host(_ authority: Substring) throws(ObjectStoreError) -> Host {
        // The last one: an `@` of a password is written as it is by some.
        let at = authority.lastIndex(of: "@")
        let login = at.map { authority[..<$0] }
        var address = at.map { authority[authority.index(after: $0)...] } ?? authority
        var port: Int?
        let bracket = address.hasPrefix("[") ? address.firstIndex(of: "]") : nil
        if address.hasPrefix("["), bracket == nil { throw .badLocation(reason: "no host") }
        if let colon = address[(bracket ?? address.startIndex)...].firstIndex(of: ":") {
            guard let number = Int(address[address.index(after: colon)...]), (1...65_535).contains(number) else {
                throw .badLocation(reason: "no port")
            }
            (port, address) = (number, address[..<colon])
        }
        let name = bracket == nil ? address : address.dropFirst().dropLast()
        let isHost = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte >= 0x80 || [0x2e, 0x2d, 0x5f].contains(byte) || bracket != nil && byte == UInt8(ascii: ":")
        }
        guard isHost, !name.isEmpty else { throw .badLocation(reason: "no host") }
        let parts = login?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let words = (parts ?? []).map { String(decoding: PercentEncoding.decode(Array($0.utf8)), as: UTF8.self) }
        return Host(
            name: String(name), port: port, user: words.first.flatMap { $0.isEmpty ? nil : $0 },
            password: words.count > 1 ? Secret(words[1]) : nil)
    }

    private static func ofRclone(_ text: Substring) throws(ObjectStoreError) -> RemoteLocation {
        guard let colon = text.firstIndex(of: ":") else { throw .badLocation(reason: "no rclone:REMOTE:PATH") }
        let name = text[..<colon]
        // The characters of a remote's name (rclone, "Configuration"); with others it would be a connection string, with secrets in it.
        let isName = name.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "_-.+@ ".unicodeScalars.contains($0)
        }
        guard !name.isEmpty, isName, !name.hasPrefix("-"), !name.hasPrefix(" ") else {
            throw .badLocation(reason: "no name of an rclone remote")
        }
        let path = Array(text[text.index(after: colon)...].utf8)
        return RemoteLocation(kind: .rclone(remote: String(name)), path: try Self.path(path, isEncoded: false))
    }
}
