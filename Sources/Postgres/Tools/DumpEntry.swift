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
    /// What makes it, one after the other, each with its semicolon. Bytes, in the dump's encoding (`DumpContents.settings`): those of a
    /// database without one need be no text, and put right they would be another statement.
    var statements: [[UInt8]] = []

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

    /// Of a user mapping: whose, as it is written, and both as they are written: `CREATE USER MAPPING FOR app SERVER away OPTIONS (…);`.
    var userMapping: (user: String, text: String)? {
        guard kind == "USER MAPPING", let statement = statements.first, statement.starts(with: Self.mapping) else {
            return nil
        }
        let rest = statement.dropFirst(Self.mapping.count)
        guard let server = QuotedText.place(of: " SERVER ", outsideNamesOf: rest) else { return nil }
        let name = rest[(server + 8)...]
        let end = [" ", ";"].compactMap { QuotedText.place(of: $0, outsideNamesOf: name) }.min() ?? name.endIndex
        return (QuotedText.unquoted(rest[..<server]), String(ofServer: rest[..<end]))
    }

    private static let mapping = Array("CREATE USER MAPPING FOR ".utf8)

    /// Rights on something, which are given one by one.
    var isGrants: Bool { ["ACL", "DEFAULT ACL"].contains(kind) }

    /// `BLOB`, `BLOB METADATA`, and rights on these.
    var isOfLargeObjects: Bool { kind.hasPrefix("BLOB") || isGrants && name.hasPrefix("LARGE OBJECT") }

    /// `ALTER TABLE public.runs OWNER TO app;`. Of large objects there is one for each (`BLOB METADATA`).
    var ownerStatements: [[UInt8]] { statements.filter { Self.newOwner(in: $0) != nil } }

    /// The same given to another role.
    func owned(by role: String) -> DumpEntry {
        var other = self
        other.owner = role
        other.statements = statements.map { statement in
            guard let owner = Self.newOwner(in: statement) else { return statement }
            return statement[..<owner.lowerBound] + Array("\(role.asQuotedIdentifier);".utf8)
        }
        return other
    }

    /// What makes it, without giving it to its owner.
    var statementsButOwner: [UInt8] {
        Array(statements.filter { Self.newOwner(in: $0) == nil }.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// `statementsButOwner`, to be looked at.
    var text: String { String(ofServer: statementsButOwner) }

    /// Whether what it does for others is done with its owner's rights (PostgreSQL manual, CREATE FUNCTION, 41.5 "Rules and Privileges").
    var worksForItsOwner: Bool {
        switch kind {
        case "VIEW", "MATERIALIZED VIEW": true
        case "FUNCTION", "PROCEDURE": text.contains("SECURITY DEFINER")
        default: false
        }
    }

    /// Of what everybody may use by default, and which works for its owner: that nobody else may, and that it works for who uses it. Of
    /// a trigger's function, and of an aggregate's, nobody is asked whether he may (PostgreSQL manual, CREATE TRIGGER, CREATE AGGREGATE).
    var closing: [[UInt8]] {
        guard worksForItsOwner, !kind.hasSuffix("VIEW"), let object = objectGiven else { return [] }
        return [
            Array("REVOKE ALL ON ".utf8) + object + Array(" FROM PUBLIC;".utf8),
            Self.alter + object + Array(" SECURITY INVOKER;".utf8),
        ]
    }

    /// Of a function that triggers may call, which is one without arguments: `public.noted()`.
    var triggerFunction: String? {
        guard kind == "FUNCTION", let object = objectGiven, object.starts(with: "FUNCTION ".utf8),
            object.suffix(2).elementsEqual("()".utf8)
        else { return nil }
        return String(ofServer: object.dropFirst(9))
    }

    /// Of a table that can have triggers which may be turned off: `public.runs`.
    var triggerTable: String? {
        guard kind == "TABLE" || kind == "FOREIGN TABLE", let object = objectGiven else { return nil }
        let prefix = ["FOREIGN TABLE ", "TABLE "].first { object.starts(with: $0.utf8) }
        return prefix.map { String(ofServer: object.dropFirst($0.utf8.count)) }
    }

    /// Of what the server makes statistics of, as its owner: `public.runs`.
    var analyzed: String? {
        guard kind == "TABLE" || kind == "MATERIALIZED VIEW", let object = objectGiven else { return nil }
        // Some versions give a materialized view as a table.
        let prefix = ["MATERIALIZED VIEW ", "TABLE "].first { object.starts(with: $0.utf8) }
        return prefix.map { String(ofServer: object.dropFirst($0.utf8.count)) }
    }

    /// What its owner's statement names: `TABLE public.runs`.
    private var objectGiven: ArraySlice<UInt8>? {
        guard let statement = ownerStatements.first, let owner = Self.newOwner(in: statement) else { return nil }
        return statement[Self.alter.count..<(owner.lowerBound - Self.ownerTo.count)]
    }

    private static let alter = Array("ALTER ".utf8)
    private static let ownerTo = Array(" OWNER TO ".utf8)

    /// Where a statement names whom it gives something to.
    private static func newOwner(in statement: [UInt8]) -> Range<Int>? {
        guard statement.starts(with: alter), statement.last == UInt8(ascii: ";") else { return nil }
        return statement.ranges(of: ownerTo).reversed().map { $0.upperBound..<(statement.count - 1) }
            .first { QuotedText.isName(statement[$0]) }
    }
}
