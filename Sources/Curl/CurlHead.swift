// SPDX-License-Identifier: Apache-2.0

/// The status and the fields of an HTTP answer.
package struct CurlHead: Sendable, Equatable {
    /// 0 before any came.
    package private(set) var status = 0
    private var fields: [String: String] = [:]
    private var size = 0

    /// Bytes of fields that are kept: what comes behind them is left out.
    private static let limit = 64 << 10

    init() {}

    /// The value of a field; its last one where it came several times.
    /// - Parameter name: in lower case.
    package subscript(name: String) -> String? { fields[name] }

    /// The fields whose name begins so, without that beginning.
    package func fields(after prefix: String) -> [String: String] {
        var found: [String: String] = [:]
        for (name, value) in fields where name.hasPrefix(prefix) { found[String(name.dropFirst(prefix.count))] = value }
        return found
    }

    /// A line as libcurl hands it over. A status line begins the head anew: behind `100 Continue` comes the real one.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        let line = String(decoding: bytes.prefix { $0 != 0x0d && $0 != 0x0a }, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            self = CurlHead()
            let words = line.split(separator: " ", maxSplits: 2)
            status = words.count > 1 ? Int(words[1]) ?? 0 : 0
            return
        }
        guard let colon = line.firstIndex(of: ":"), size + line.utf8.count <= Self.limit else { return }
        size += line.utf8.count
        let value = line[line.index(after: colon)...]
        fields[line[..<colon].lowercased()] = String(value.drop { $0 == " " || $0 == "\t" })
    }
}
