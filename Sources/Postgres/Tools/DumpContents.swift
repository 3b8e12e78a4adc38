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
    /// What makes it, one after the other, each with its semicolon.
    var statements: [String] = []

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

    /// `ALTER TABLE public.runs OWNER TO app;`. Of large objects there is one for each (`BLOB METADATA`).
    var ownerStatements: [String] { statements.filter { Self.newOwner(in: $0) != nil } }

    /// The same given to another role.
    func owned(by role: String) -> DumpEntry {
        var other = self
        other.owner = role
        other.statements = statements.map { statement in
            guard let owner = Self.newOwner(in: statement) else { return statement }
            return "\(statement[..<owner.startIndex])\(role.asQuotedIdentifier);"
        }
        return other
    }

    /// What makes it, without giving it to its owner.
    var statementsButOwner: String {
        statements.filter { Self.newOwner(in: $0) == nil }.joined(separator: "\n")
    }

    /// Whom a statement gives something to, as it writes the name.
    private static func newOwner(in statement: String) -> Substring? {
        guard statement.hasPrefix("ALTER "), statement.hasSuffix(";"),
            let to = statement.ranges(of: " OWNER TO ").last
        else { return nil }
        let owner = statement[to.upperBound...].dropLast()
        let isQuoted = owner.utf8.count > 1 && owner.utf8.first == quote && owner.utf8.last == quote
        return isQuoted || !owner.utf8.contains(where: { $0 == UInt8(ascii: " ") || $0 == quote }) ? owner : nil
    }

    private static let quote = UInt8(ascii: "\"")
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
    ///   - scripts: what `pg_restore --schema-only --verbose` writes, and what it writes of the `largeObjects` of that list.
    init(list: [UInt8], scripts: [[UInt8]]) {
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
        for script in scripts { read(script) }
    }

    /// The lines of a list that make large objects, without their bytes, and give rights on them: no `--schema-only` has these.
    static func largeObjects(of list: [UInt8]) -> [ArraySlice<UInt8>] {
        list.split(separator: UInt8(ascii: "\n")).filter { line in
            guard number(line) != nil else { return false }
            // `217; 2613 4242 BLOB - 4242 app`, `BLOB METADATA - 4242..4250 app`, `218; 0 0 ACL - LARGE OBJECT 4242 app`.
            let words = line.split(separator: UInt8(ascii: " ")).dropFirst(3).prefix(3)
            return words.first?.elementsEqual("BLOB".utf8) == true
                || words.joined(separator: [UInt8(ascii: " ")]).starts(with: "ACL - LARGE".utf8)
        }
    }

    /// Rows and values whose table or sequence the dump does not make: an extension does. They need its number, which is nobody's.
    var ofExtensions: [DumpEntry] {
        lines.compactMap(\.id).compactMap { entries[$0] }.filter { entry in
            entry.content != nil && entry.needs.contains { entries[$0] == nil }
        }
    }

    /// Those of the script, in its order.
    var made: [DumpEntry] { order.compactMap { entries[$0] } }

    private mutating func read(_ script: [UInt8]) {
        let isOutside = QuotedText.outsideLines(of: script)
        let lines = script.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        var current: DumpEntry?
        var statement: [String] = []
        var index = 0
        func endStatement() {
            if !statement.isEmpty { current?.statements.append(statement.joined(separator: "\n")) }
            statement = []
        }
        while index < lines.count {
            let line = lines[index]
            defer { index += 1 }
            if isOutside[index] {
                // A header: `--`, `-- TOC entry 217 (class 1259 OID 16388)`, what it needs, and its name.
                if line == "--", index + 1 < lines.count, let id = Self.header(lines[index + 1]),
                    let known = entries[id],
                    known.kind.isEmpty
                {
                    endStatement()
                    if let current { entries[current.id] = current }
                    current = known
                    order.append(id)
                    while index + 1 < lines.count, lines[index + 1].hasPrefix("-- ") {
                        index += 1
                        if lines[index].hasPrefix("-- Name: ") { current?.describe(lines[index].dropFirst(9)) }
                    }
                    continue
                }
                if line == "-- PostgreSQL database dump complete" { break }
                // Comments, and settings for the next entry.
                if statement.isEmpty, line.isEmpty || line.hasPrefix("--") || line.hasPrefix("SET default_ta") {
                    continue
                }
            }
            statement.append(line)
            if line.hasSuffix(";"), index + 1 == lines.count || isOutside[index + 1] { endStatement() }
        }
        endStatement()
        if let current { entries[current.id] = current }
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

    private static func header(_ line: String) -> Int? {
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
