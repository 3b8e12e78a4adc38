// SPDX-License-Identifier: Apache-2.0

/// `CREATE POLICY mine ON public.runs AS RESTRICTIVE FOR SELECT TO a, b USING ((team = 'x'));`, as pg_dump writes it.
struct RowPolicy {
    /// Up to the roles.
    private let head: ArraySlice<UInt8>
    /// As they are written; none where it is for all.
    let roles: [ArraySlice<UInt8>]
    private let conditions: ArraySlice<UInt8>

    /// Whether it hides rows, and lacking shows them. Of others each shows some.
    let isRestrictive: Bool

    /// - Returns: `nil` for what is no policy.
    init?(_ entry: DumpEntry) {
        guard entry.kind == "POLICY", let statement = entry.statements.first else { return nil }
        let starts = [" USING (", " WITH CHECK ("].compactMap {
            QuotedText.place(of: $0, outsideNamesOf: statement[...])
        }
        conditions = statement[(starts.min() ?? statement.count - 1)...]
        let before = statement[..<conditions.startIndex]
        let to = QuotedText.place(of: " TO ", outsideNamesOf: before)
        head = before[..<(to ?? before.endIndex)]
        isRestrictive = QuotedText.place(of: " AS RESTRICTIVE", outsideNamesOf: head) != nil
        var roles: [ArraySlice<UInt8>] = []
        var rest = to.map { before[($0 + 4)...] } ?? []
        while let end = QuotedText.place(of: ", ", outsideNamesOf: rest) {
            roles.append(rest[..<end])
            rest = rest[(end + 2)...]
        }
        if !rest.isEmpty { roles.append(rest) }
        self.roles = roles
    }

    /// What the roles are called.
    var names: [String] { roles.map { QuotedText.unquoted($0) } }

    /// The same for another role, in one's place or beside it.
    func naming(_ heir: String, insteadOf role: String?) -> [UInt8] {
        let others = roles.filter { ![role, heir].contains(QuotedText.unquoted($0)) }
        return statement(for: others + [heir.asQuotedIdentifier.serverBytes[...]])
    }

    /// The same for these alone.
    func statement(for roles: [ArraySlice<UInt8>]) -> [UInt8] { Array(head) + Self.to(roles) + conditions }

    /// One that shows these no row.
    func closed(for roles: [ArraySlice<UInt8>]) -> [UInt8] {
        let isForNewRows = QuotedText.place(of: " FOR INSERT", outsideNamesOf: head) != nil
        return Array(head) + Self.to(roles) + Array((isForNewRows ? " WITH CHECK (false);" : " USING (false);").utf8)
    }

    static func to(_ roles: [ArraySlice<UInt8>]) -> [UInt8] {
        roles.isEmpty ? [] : Array(" TO ".utf8) + roles.joined(separator: Array(", ".utf8))
    }
}
