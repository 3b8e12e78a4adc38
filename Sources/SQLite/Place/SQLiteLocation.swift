// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Where a URI of SQLAlchemy's says that a database of SQLite is (docs.sqlalchemy.org, "SQLite: Connect Strings").
package struct SQLiteLocation: Sendable, Equatable {
    /// The file, not resolved.
    package let path: FilePath
    /// Seconds that a writer of MLflow's waits for a lock before its request fails.
    package let writersPatience: Double

    /// Python's `sqlite3.connect`, which MLflow leaves as it is.
    package static let usualPatience = 5.0

    /// - Parameters:
    ///   - uri: `sqlite:////abs/path`, `sqlite:///relative`, with a driver (`sqlite+pysqlite:`) or a query.
    ///   - folder: where a relative path begins: the folder that MLflow's server was started in.
    /// - Throws: `DatabaseFileError.locationUnusable`.
    package init(uri: String, relativeTo folder: FilePath? = nil) throws(DatabaseFileError) {
        func refuse(_ chinese: String, _ english: String) -> DatabaseFileError {
            .locationUnusable(uri: uri, reason: BilingualText(zh: chinese, en: english))
        }
        let (address, query) = Self.split(uri, at: "?")
        guard let colon = address.firstRange(of: "://") else {
            throw refuse("不是 URI", "it is no URI")
        }
        let scheme = address[..<colon.lowerBound].lowercased()
        guard scheme == "sqlite" || scheme.hasPrefix("sqlite+") else {
            throw refuse("不是 SQLite 地址", "it is not of SQLite")
        }
        guard !scheme.contains("cipher") else {
            throw refuse("加密的数据库无法读取", "an encrypted database cannot be read")
        }
        let place = address[colon.upperBound...]
        guard place.isEmpty || place.first == "/" else {
            throw refuse("SQLite 地址没有主机名（sqlite:/// 有三个斜杠）", "one of SQLite has no host (sqlite:/// has three slashes)")
        }
        let parameters = Self.parameters(query)
        var bytes = PercentText.decoded(place.dropFirst().utf8)
        if bytes.starts(with: Array("file:".utf8)), Self.isTrue(parameters["uri"]) {
            bytes = try Self.ofFileURI(bytes.dropFirst(5), refuse)
            if let name = ["vfs", "nolock", "immutable"].first(where: { parameters[$0] != nil }) {
                throw refuse("参数 \(name) 使锁失效", "with the parameter \(name) nobody's locks are kept")
            }
        }
        guard !bytes.isEmpty, bytes != Array(":memory:".utf8), parameters["mode"] != "memory" else {
            throw refuse("数据库只在内存中，没有文件", "the database is in memory alone")
        }
        guard !bytes.contains(0) else { throw refuse("路径中有空字节", "there is a NUL in the path") }
        let written = FilePath(bytes: bytes)
        if written.isAbsolute {
            path = written
        } else if let folder {
            path = folder.appending(bytes)
        } else {
            throw refuse("相对路径的起点未知", "it is relative, and nobody knows to which folder")
        }
        writersPatience = parameters["timeout"].flatMap(Double.init).map { max(0, $0) } ?? Self.usualPatience
    }

    /// What follows `file:`: a path, after a host that must be this one (sqlite.org/uri.html).
    private static func ofFileURI(
        _ bytes: ArraySlice<UInt8>, _ refuse: (String, String) -> DatabaseFileError
    ) throws(DatabaseFileError) -> [UInt8] {
        let slashes = bytes.prefix { $0 == slash }.count
        guard slashes >= 2 else { return Array(bytes) }
        let rest = bytes.dropFirst(2)
        let host = rest.prefix { $0 != slash }
        guard host.isEmpty || host.elementsEqual("localhost".utf8) else {
            throw refuse("文件在另一台主机上", "the file is on another host")
        }
        return Array(rest.dropFirst(host.count))
    }

    private static func split(_ text: String, at mark: Unicode.Scalar) -> (Substring, Substring) {
        guard let place = text.unicodeScalars.firstIndex(of: mark) else { return (text[...], "") }
        return (text[..<place], text[text.unicodeScalars.index(after: place)...])
    }

    private static func parameters(_ query: Substring) -> [String: String] {
        var found: [String: String] = [:]
        for part in query.split(separator: "&") {
            let (name, value) = split(String(part), at: "=")
            found[String(name)] = String(decoding: PercentText.decoded(value.utf8), as: UTF8.self)
        }
        return found
    }

    /// As SQLAlchemy reads a word (`util.asbool`).
    private static func isTrue(_ word: String?) -> Bool {
        word.map { ["true", "yes", "on", "y", "t", "1"].contains($0.lowercased()) } ?? false
    }
}

private let slash = UInt8(ascii: "/")
