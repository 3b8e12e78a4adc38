// SPDX-License-Identifier: Apache-2.0

/// One entry of a dump's table of contents.
struct DumpEntry {
    /// pg_dump's number of it.
    let id: Int
    /// PostgreSQL's word for what it makes, in capitals: `TABLE`, `EVENT TRIGGER`; empty for rows alone.
    var kind = ""
    /// `-` where it is in none.
    var schema = "-"
    var name = ""
    /// Of an entry that is a table's rows, or a sequence's value, alone: of which.
    var content: DumpedContent?
    /// Empty where nobody owns it.
    var owner = ""
    var tablespace: String?
    /// The numbers of those that it needs.
    var needs: [Int] = []
    /// What makes it.
    var statements = ""

    /// As in `BeyondRestore`: `view`, `public.seen`.
    var object: BeyondRestore {
        let place = schema == "-" ? "" : schema.asIdentifier + "."
        // `USER MAPPING app SERVER away`.
        let name = name.hasPrefix(kind + " ") ? String(name.dropFirst(kind.count + 1)) : name
        return BeyondRestore(kind: kind.lowercased(), name: place + name, fate: .leftOut)
    }

    /// Whether it says something of another entry and is told of with that: its grants, a comment on it.
    var isOfAnother: Bool {
        ["ACL", "COMMENT", "SECURITY LABEL", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA"].contains(kind)
    }

    /// `ALTER TABLE public.runs OWNER TO app;`, a line of its own.
    var ownerLine: Substring? { statements.split(separator: "\n").last(where: Self.isOwner) }

    /// The same given to another role.
    func owned(by role: String) -> DumpEntry {
        var other = self
        other.owner = role
        guard let line = ownerLine, let to = line.ranges(of: " OWNER TO ").last else { return other }
        other.statements = "\(line[..<to.upperBound])\(role.asQuotedIdentifier);"
        return other
    }

    /// What makes it, without giving it to its owner.
    var statementsButOwner: String {
        statements.split(separator: "\n", omittingEmptySubsequences: false).filter { !Self.isOwner($0) }
            .joined(separator: "\n")
    }

    private static func isOwner(_ line: Substring) -> Bool {
        line.hasPrefix("ALTER ") && line.contains(" OWNER TO ") && line.hasSuffix(";")
    }
}

/// What is in a dump, in pg_restore's own words: its list, and the script that it would run for all but rows, in which each entry
/// has its number, what it needs, and its owner (`pg_restore --verbose`; pg_backup_archiver.c, `_printTocEntry`).
struct DumpContents {
    /// Of the list, in its order; `nil` for what is a comment there.
    let lines: [(id: Int?, text: ArraySlice<UInt8>)]
    private(set) var entries: [Int: DumpEntry] = [:]
    /// Those of the script, in its order.
    private(set) var order: [Int] = []

    /// - Parameters:
    ///   - list: what `pg_restore --list --verbose` prints.
    ///   - script: what `pg_restore --schema-only --verbose` writes.
    init(list: [UInt8], script: [UInt8]) {
        var lines: [(id: Int?, text: ArraySlice<UInt8>)] = []
        for line in list.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if let id = Self.number(line) {
                entries[id] = DumpEntry(id: id)
                entries[id]?.content = DumpedContent(line)
                lines.append((id, line))
            } else {
                // `;	depends on: 217 3498` follows its entry.
                if line.starts(with: Self.needs), let last = lines.last(where: { $0.id != nil })?.id {
                    entries[last]?.needs = Self.numbers(line.dropFirst(Self.needs.count))
                }
                lines.append((nil, line))
            }
        }
        self.lines = lines
        read(String(decoding: script, as: UTF8.self))
    }

    /// Rows and values whose table or sequence the dump does not make: an extension does. They need its number, which is nobody's.
    var ofExtensions: [DumpEntry] {
        lines.compactMap(\.id).compactMap { entries[$0] }.filter { entry in
            entry.content != nil && entry.needs.contains { entries[$0] == nil }
        }
    }

    /// Those of the script, in its order.
    var made: [DumpEntry] { order.compactMap { entries[$0] } }

    private mutating func read(_ script: String) {
        var current: DumpEntry?
        var text: [Substring] = []
        func finished() -> DumpEntry? {
            current?.statements = text.joined(separator: "\n")
            return current
        }
        let lines = script.split(separator: "\n", omittingEmptySubsequences: false)
        var index = 0
        while index < lines.count {
            // A header: `--`, `-- TOC entry 217 (class 1259 OID 16388)`, what it needs, and its name.
            if lines[index] == "--", index + 1 < lines.count, let id = Self.header(lines[index + 1]),
                let known = entries[id], known.kind.isEmpty
            {
                if let done = finished() { entries[done.id] = done }
                current = known
                order.append(id)
                text = []
                index += 2
                while index < lines.count, lines[index].hasPrefix("-- ") {
                    if lines[index].hasPrefix("-- Name: ") { current?.describe(lines[index].dropFirst(9)) }
                    index += 1
                }
            } else if lines[index] == "-- PostgreSQL database dump complete" {
                break
            } else {
                // Settings for the next one.
                if !lines[index].hasPrefix("SET default_ta"), lines[index] != "--" { text.append(lines[index]) }
                index += 1
                continue
            }
            index += 1
        }
        if let done = finished() { entries[done.id] = done }
    }

    private static let needs = Array(";\tdepends on: ".utf8)

    /// `217; 1259 16388 TABLE public runs app`.
    private static func number(_ line: ArraySlice<UInt8>) -> Int? {
        guard let end = line.firstIndex(of: UInt8(ascii: ";")), end > line.startIndex else { return nil }
        return Int(String(decoding: line[..<end], as: UTF8.self))
    }

    private static func numbers(_ line: ArraySlice<UInt8>) -> [Int] {
        line.split(separator: UInt8(ascii: " ")).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
    }

    private static func header(_ line: Substring) -> Int? {
        guard line.hasPrefix("-- TOC entry ") else { return nil }
        return Int(line.dropFirst(13).prefix { $0.isNumber })
    }
}

extension DumpEntry {
    /// `runs; Type: TABLE; Schema: public; Owner: app; Tablespace: fast`, read from its end: a name may hold anything.
    fileprivate mutating func describe(_ line: Substring) {
        var rest = line
        func take(_ label: String) -> String? {
            guard let range = rest.ranges(of: label).last else { return nil }
            defer { rest = rest[..<range.lowerBound] }
            return String(rest[range.upperBound...])
        }
        if line.firstRange(of: "; Owner: ") != nil, let place = take("; Tablespace: ") { tablespace = place }
        owner = take("; Owner: ") ?? ""
        if owner == "-" { owner = "" }
        schema = take("; Schema: ") ?? "-"
        kind = take("; Type: ") ?? ""
        name = String(rest)
    }
}
