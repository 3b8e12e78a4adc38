// SPDX-License-Identifier: Apache-2.0

/// What is in a dump, in pg_restore's own words: its list, and the script that it would run for all but rows, in which each entry
/// has its number, what it needs, and its owner (`pg_restore --verbose`; pg_backup_archiver.c, `_printTocEntry`).
struct DumpContents {
    /// Of the list, in its order; `nil` for what is a comment there.
    let lines: [(id: Int?, text: ArraySlice<UInt8>)]
    private(set) var entries: [Int: DumpEntry] = [:]
    /// Those of the script, in its order.
    private(set) var order: [Int] = []
    /// As what its statements are to be read, for one transaction: `SET LOCAL client_encoding = 'SQL_ASCII';`.
    private(set) var settings: [[UInt8]] = []

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

    private var tables: [DumpEntry] { entries.values.filter { $0.kind == "TABLE" } }

    /// The application's tables. Of several schemas that have tables of these names those that have all: a copy of some is none of it.
    private func own(_ names: Set<String>) -> [DumpEntry] {
        let named = tables.filter { names.contains($0.name) }
        let whole = Dictionary(grouping: named, by: \.schema).values.filter { $0.count == names.count }
        return whole.isEmpty ? named : whole.flatMap(\.self)
    }

    /// Whose the application's tables are: whose most of them are, in `public` where they are there; the dumping role's where that leaves it
    /// open, or where there is none. A superuser may have dumped what is another's, and a backup of 0.1.0 does not say who did.
    /// - Parameter names: of the application's tables. What else is in a database says nothing of it, but where none of these is there.
    func tablesOwner(of names: Set<String>, knowing dumper: String?) -> String? {
        let own = own(names)
        // Others may be copies that an administrator made.
        let usual = own.filter { $0.schema == "public" }
        let asked = own.isEmpty ? tables : usual.isEmpty ? own : usual
        // Of a database of others' tables, in which none of the application's is, the dumping role's are those that count.
        if let dumper, asked.isEmpty || own.isEmpty && asked.contains(where: { $0.owner == dumper }) { return dumper }
        let counts = Dictionary(grouping: asked, by: \.owner).mapValues(\.count)
        let most = counts.values.max()
        let first = counts.filter { $0.value == most }.map(\.key).sorted()
        return first.first { $0 == dumper } ?? first.first
    }

    /// Whether nobody else can have been the application's: its tables are all in one schema, `public` where some are there, and all one role's.
    func isCertain(_ owner: String, of names: Set<String>) -> Bool {
        let own = own(names)
        let usual = own.filter { $0.schema == "public" }
        let asked = usual.isEmpty ? own : usual
        return !names.isEmpty && Set(asked.map(\.name)) == names && asked.count == names.count
            && asked.allSatisfy { $0.owner == owner }
    }

    /// All in the schemas of the application's, whatever version it has, that are its role's.
    func allTables(of owner: String, beside tables: Set<QualifiedTable>) -> Set<QualifiedTable> {
        let schemas = Set(tables.map(\.schema))
        return tables.union(
            self.tables.filter { $0.owner == owner && schemas.contains($0.schema) }
                .map { QualifiedTable(schema: $0.schema, name: $0.name) })
    }

    /// The application's that are another role's, in the same schemas.
    func tables(of names: Set<String>, beside tables: Set<QualifiedTable>, butOf owner: String) -> Set<QualifiedTable> {
        let schemas = Set(tables.map(\.schema))
        return Set(
            own(names).filter { $0.owner != owner && schemas.contains($0.schema) }
                .map { QualifiedTable(schema: $0.schema, name: $0.name) })
    }

    /// Those by which a live database is asked whose they are there: those of the application's that are `owner`'s, or where none of its is
    /// there all of his.
    func tables(of owner: String, among names: Set<String>) -> Set<QualifiedTable> {
        let own = own(names)
        let asked = own.isEmpty ? tables : own
        return Set(asked.filter { $0.owner == owner }.map { QualifiedTable(schema: $0.schema, name: $0.name) })
    }

    private mutating func read(_ script: [UInt8]) {
        let isOutside = QuotedText.outsideLines(of: script)
        let lines = script.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var current: DumpEntry?
        var statement: [ArraySlice<UInt8>] = []
        var index = 0
        func endStatement() {
            if !statement.isEmpty {
                current?.statements.append(Array(statement.joined(separator: [UInt8(ascii: "\n")])))
            }
            statement = []
        }
        while index < lines.count {
            let line = lines[index]
            defer { index += 1 }
            if isOutside[index] {
                // A header: `--`, `-- TOC entry 217 (class 1259 OID 16388)`, what it needs, and its name.
                if line.elementsEqual("--".utf8), index + 1 < lines.count, let id = Self.header(lines[index + 1]),
                    let known = entries[id],
                    known.kind.isEmpty
                {
                    endStatement()
                    if let current { entries[current.id] = current }
                    current = known
                    order.append(id)
                    while index + 1 < lines.count, lines[index + 1].starts(with: "-- ".utf8) {
                        index += 1
                        if lines[index].starts(with: "-- Name: ".utf8) {
                            current?.describe(String(ofServer: lines[index].dropFirst(9))[...])
                        }
                    }
                    continue
                }
                if line.elementsEqual("-- PostgreSQL database dump complete".utf8) { break }
                if current == nil { takeSetting(line) }
                // Comments, and settings for the next entry.
                if statement.isEmpty,
                    line.isEmpty || line.starts(with: "--".utf8) || line.starts(with: "SET default_ta".utf8)
                {
                    continue
                }
            }
            statement.append(line)
            if line.last == UInt8(ascii: ";"), index + 1 == lines.count || isOutside[index + 1] { endStatement() }
        }
        endStatement()
        if let current { entries[current.id] = current }
    }

    /// Of what stands before the first entry.
    private mutating func takeSetting(_ line: ArraySlice<UInt8>) {
        for name in ["client_encoding", "standard_conforming_strings"] where line.starts(with: "SET \(name) = ".utf8) {
            settings.append(Array("SET LOCAL ".utf8) + line.dropFirst(4))
        }
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

    private static func header(_ line: ArraySlice<UInt8>) -> Int? {
        guard line.starts(with: "-- TOC entry ".utf8) else { return nil }
        return Int(String(decoding: line.dropFirst(13).prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
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
