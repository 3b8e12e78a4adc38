// SPDX-License-Identifier: Apache-2.0

/// The tags and texts of a store's answer, one by one. No more of XML than those have: no declarations of entities, which can fill a memory.
struct XMLScanner {
    enum Token: Equatable {
        /// The name without its prefix (`s3:Key` is `Key`).
        case begin(String)
        case end(String)
        case text([UInt8])
    }

    struct Malformed: Error {}

    private let bytes: [UInt8]
    private var place = 0
    /// Of `<Prefix/>`, whose end comes as a token of its own.
    private var pendingEnd: String?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() throws(Malformed) -> Token? {
        if let name = pendingEnd {
            pendingEnd = nil
            return .end(name)
        }
        while place < bytes.count {
            guard bytes[place] == UInt8(ascii: "<") else { return .text(try text()) }
            let inner = bytes[(place + 1)...]
            if inner.starts(with: "?".utf8) {
                try skip(past: "?>")
            } else if inner.starts(with: "!--".utf8) {
                try skip(past: "-->")
            } else if inner.starts(with: "![CDATA[".utf8) {
                let start = place + 9
                try skip(past: "]]>")
                return .text(Array(bytes[min(start, place - 3)..<(place - 3)]))
            } else if inner.starts(with: "!".utf8) {
                throw Malformed()
            } else {
                return try tag()
            }
        }
        return nil
    }

    private mutating func tag() throws(Malformed) -> Token {
        guard let close = bytes[place...].firstIndex(of: UInt8(ascii: ">")) else { throw Malformed() }
        var inner = bytes[(place + 1)..<close]
        place = close + 1
        let isEnd = inner.first == UInt8(ascii: "/")
        if isEnd { inner = inner.dropFirst() }
        let isEmpty = inner.last == UInt8(ascii: "/")
        let qualified = inner.prefix { !Self.isSpace($0) && $0 != UInt8(ascii: "/") }
        let local = qualified.lastIndex(of: UInt8(ascii: ":")).map { qualified[($0 + 1)...] } ?? qualified
        guard !local.isEmpty else { throw Malformed() }
        let name = String(decoding: local, as: UTF8.self)
        if isEnd { return .end(name) }
        if isEmpty { pendingEnd = name }
        return .begin(name)
    }

    private mutating func text() throws(Malformed) -> [UInt8] {
        let end = bytes[place...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        let raw = bytes[place..<end]
        place = end
        return raw.contains(UInt8(ascii: "&")) ? try Self.unescape(raw) : Array(raw)
    }

    private static func unescape(_ raw: ArraySlice<UInt8>) throws(Malformed) -> [UInt8] {
        var plain: [UInt8] = []
        var rest = raw
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "&") else {
                plain.append(byte)
                continue
            }
            guard let end = rest.prefix(12).firstIndex(of: UInt8(ascii: ";")) else { throw Malformed() }
            plain += try character(String(decoding: rest[..<end], as: UTF8.self))
            rest = rest[(end + 1)...]
        }
        return plain
    }

    private static func character(_ entity: String) throws(Malformed) -> [UInt8] {
        switch entity {
        case "amp": return [UInt8(ascii: "&")]
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "quot": return [UInt8(ascii: "\"")]
        case "apos": return [UInt8(ascii: "'")]
        default:
            let digits = entity.dropFirst()
            let number = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            guard entity.hasPrefix("#"), let number, let scalar = Unicode.Scalar(number) else { throw Malformed() }
            return Array(String(Character(scalar)).utf8)
        }
    }

    private mutating func skip(past mark: String) throws(Malformed) {
        let mark = Array(mark.utf8)
        var at = place
        while at + mark.count <= bytes.count {
            if bytes[at..<(at + mark.count)].elementsEqual(mark) {
                place = at + mark.count
                return
            }
            at += 1
        }
        throw Malformed()
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}

extension XMLScanner {
    /// The texts of elements anywhere in a short answer by their names; of several the first.
    static func texts(_ bytes: [UInt8], of names: Set<String>) throws(Malformed) -> [String: String] {
        var scanner = XMLScanner(bytes)
        var found: [String: String] = [:]
        var open: String?
        while let token = try scanner.next() {
            switch token {
            case .begin(let name): open = name
            case .end: open = nil
            case .text(let text):
                guard let name = open, names.contains(name), found[name] == nil else { continue }
                found[name] = String(decoding: text, as: UTF8.self)
            }
        }
        return found
    }
}
