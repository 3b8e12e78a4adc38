// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO

/// The `length key=value\n` records of a pax extended header.
struct PaxRecords {
    private(set) var values: [String: [UInt8]] = [:]
    private var order: [String] = []

    init() {}

    var isEmpty: Bool { order.isEmpty }

    mutating func add(_ key: String, _ value: [UInt8]) {
        if values.updateValue(value, forKey: key) == nil { order.append(key) }
    }

    mutating func add(_ key: String, _ value: String) { add(key, Array(value.utf8)) }

    /// What GNU tar, bsdtar and star call an extended attribute.
    private static let attributePrefix = "SCHILY.xattr."
    /// What bsdtar calls one beside that: the name with `%3d` for what a record cannot hold, the value in base64
    /// (libarchive, `archive_write_pax_header_xattr`). GNU tar goes on without it.
    private static let encodedPrefix = "LIBARCHIVE.xattr."

    mutating func add(attribute: OpenFile.Attribute) {
        let name = attribute.name
        if let text = String(validating: name, as: UTF8.self), !name.contains(UInt8(ascii: "=")) {
            // Two names may be one to Swift, and are two to the kernel.
            let key = Self.attributePrefix + text
            if values[key] == nil { return add(key, attribute.value) }
        }
        add(Self.encodedPrefix + PercentText.encoded(name), Base64.encoded(attribute.value))
    }

    /// The attributes among the records, of the `user.` namespace only.
    var attributes: [OpenFile.Attribute] {
        var found: [[UInt8]: [UInt8]] = [:]
        for (key, value) in values {
            if key.hasPrefix(Self.attributePrefix) {
                found[Array(key.utf8.dropFirst(Self.attributePrefix.utf8.count))] = value
            } else if key.hasPrefix(Self.encodedPrefix), let value = Base64.decoded(value) {
                // bsdtar says the same twice.
                found[PercentText.decoded(key.utf8.dropFirst(Self.encodedPrefix.utf8.count))] = value
            }
        }
        return found.compactMap { name, value in
            // A name that no system call takes is none, whoever wrote it.
            guard name.starts(with: OpenFile.userAttributePrefix), name.count > OpenFile.userAttributePrefix.count,
                name.count <= 255, !name.contains(0)
            else { return nil }
            return OpenFile.Attribute(name: name, value: value)
        }.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// The key of an object, where the path is not made of it.
    static let keyOfObject = "MLFLOW.key"

    /// What GNU tar, bsdtar and star call access lists.
    static let accessKey = "SCHILY.acl.access"
    static let defaultAccessKey = "SCHILY.acl.default"

    /// - Returns: `nil` where there is none.
    func accessList(for purpose: AccessList.Purpose) -> AccessList.Parsed? {
        let key = purpose == .access ? Self.accessKey : Self.defaultAccessKey
        guard let bytes = values[key], !bytes.isEmpty else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        // Only somebody else's archive has names in it.
        let parsed = AccessList.parse(text, for: purpose, AccountNames())
        return parsed == .unknown ? AccessList.parse(text, for: purpose, .ofThisMachine()) : parsed
    }

    func encoded() -> [UInt8] {
        var result: [UInt8] = []
        let names = ["path", "linkpath"].contains { key in
            values[key].map { String(validating: $0, as: UTF8.self) == nil } ?? false
        }
        // Without this record a reader may take the bytes for UTF-8 and refuse them.
        if names { result += record("hdrcharset", Array("BINARY".utf8)) }
        for key in order { result += record(key, values[key] ?? []) }
        return result
    }

    /// The length counts itself, so it is grown until it fits.
    private func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let body = key.utf8.count + value.count + 3
        var length = body
        while true {
            let next = body + String(length).utf8.count
            if next == length { break }
            length = next
        }
        return Array("\(length) \(key)=".utf8) + value + [UInt8(ascii: "\n")]
    }

    /// - Returns: `nil` where the records are malformed.
    init?(decoding bytes: [UInt8]) {
        var position = 0
        while position < bytes.count {
            if bytes[position] == 0 { break }
            guard let space = bytes[position...].firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: bytes[position..<space], as: UTF8.self)),
                length > space - position + 2, length <= bytes.count - position
            else { return nil }
            let end = position + length
            guard bytes[end - 1] == UInt8(ascii: "\n"),
                let equals = bytes[(space + 1)..<end].firstIndex(of: UInt8(ascii: "="))
            else { return nil }
            add(String(decoding: bytes[(space + 1)..<equals], as: UTF8.self), Array(bytes[(equals + 1)..<(end - 1)]))
            position = end
        }
    }

    /// Decimal seconds with a fraction, rounded down to the nanosecond.
    static func time(_ bytes: [UInt8]) -> FileTime? {
        var text = Substring(decoding: bytes, as: UTF8.self)
        let negative = text.first == "-"
        if negative { text = text.dropFirst() }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = UInt64(first) else { return nil }
        var nanoseconds: UInt32 = 0
        if parts.count == 2 {
            let digits = parts[1].prefix(9)
            guard let value = UInt32(digits.isEmpty ? "0" : digits) else { return nil }
            nanoseconds = (digits.count..<9).reduce(value) { partial, _ in partial * 10 }
        }
        guard negative, nanoseconds > 0 else {
            return Int64(magnitude: whole, isNegative: negative).map {
                FileTime(seconds: $0, nanoseconds: nanoseconds)
            }
        }
        return Int64(exactly: whole).map { FileTime(seconds: -$0 - 1, nanoseconds: 1_000_000_000 - nanoseconds) }
    }
}
