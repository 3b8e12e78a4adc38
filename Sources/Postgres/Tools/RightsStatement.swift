// SPDX-License-Identifier: Apache-2.0

/// A statement that gives or takes rights, as pg_dump writes it (dumputils.c, `buildACLCommands`), and the roles that it names:
/// `GRANT SELECT ON TABLE public.runs TO app;`, `ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT …;`, `SET SESSION AUTHORIZATION app;`.
struct RightsStatement {
    let bytes: [UInt8]
    /// Where they stand.
    private let places: [Range<Int>]

    init(_ statement: [UInt8]) {
        bytes = statement
        var places: [Range<Int>] = []
        func name(after word: String) {
            guard let place = QuotedText.place(of: word, outsideNamesOf: statement[...]) else { return }
            // Some versions write two spaces.
            let after = statement[(place + word.utf8.count)...]
            let start = after.firstIndex { $0 != UInt8(ascii: " ") } ?? after.endIndex
            let rest = statement[start...]
            let end =
                [" ", ";"].compactMap { QuotedText.place(of: $0, outsideNamesOf: rest) }.min() ?? statement.endIndex
            if QuotedText.isName(statement[start..<end]) { places.append(start..<end) }
        }
        if statement.starts(with: Self.session) {
            name(after: "SESSION AUTHORIZATION ")
        } else {
            name(after: " FOR ROLE ")
            name(after: " TO ")
            name(after: " FROM ")
        }
        self.places = places
    }

    private static let session = Array("SET SESSION AUTHORIZATION ".utf8)

    /// Not PUBLIC, which is none.
    var roles: [String] {
        places.filter { !bytes[$0].elementsEqual("PUBLIC".utf8) }.map { QuotedText.unquoted(bytes[$0]) }
    }

    var isOfDefaults: Bool { bytes.starts(with: Array("ALTER DEFAULT PRIVILEGES ".utf8)) }

    /// Whether it gives something.
    var gives: Bool { isOfDefaults || bytes.starts(with: Array("GRANT ".utf8)) }

    /// The same, of another role.
    func naming(_ heir: String, insteadOf role: String) -> [UInt8] {
        var statement = bytes
        for place in places.reversed() where QuotedText.unquoted(bytes[place]) == role {
            statement.replaceSubrange(place, with: heir.asQuotedIdentifier.serverBytes)
        }
        return statement
    }
}
