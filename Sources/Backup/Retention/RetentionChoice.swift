// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Which backups go and which stay, told from the catalogue alone. See docs/retention.md, "When a backup may go".
struct RetentionChoice {
    /// The oldest first.
    private(set) var going: [CatalogueItem]
    /// Good ones that stay, the newest first.
    private(set) var staying: [CatalogueItem]
    /// Dated in the future: they do not count and do not go.
    let ahead: [CatalogueItem]
    private let items: [CatalogueItem]
    private let chains: Chains

    /// - Parameters:
    ///   - items: the whole catalogue, newest first.
    ///   - pinned: names that something else still needs.
    ///   - justMade: stays whatever its date is.
    init(
        _ items: [CatalogueItem], by rule: RetentionRule, _ ownership: Ownership, pinned: Set<String>,
        justMade: BackupName?, now: LocalTime
    ) {
        self.items = items
        chains = Chains(items)
        func isAhead(_ item: CatalogueItem) -> Bool { item.created > now && item.name != justMade }
        ahead = items.filter { $0.isWhole && ownership.mayReuse($0) && isAhead($0) }
        // Unverified, corrupt and hand-placed ones are nobody's to remove, and cannot stand in for a good one.
        let ours = items.filter { item in
            item.isWhole && item.sidecar?.adopted == false && ownership.mayRemove(item)
                && !pinned.contains(item.name.string) && !isAhead(item)
        }
        let good = ours.filter { $0.status == .completed }
        let goingNames = Set(Self.expired(good, rule).filter { $0.name != justMade }.map(\.name))
        staying = good.filter { !goingNames.contains($0.name) }
        going = good.filter { goingNames.contains($0.name) }.reversed()
        if !rule.keepsOne { keepSecondCopy() }
        // Suspicious ones push each other out, and nothing else.
        let suspicious = Self.expired(ours.filter { $0.status == .suspicious }, rule)
        going = suspicious.filter { $0.name != justMade }.reversed() + going
    }

    /// What the rule lets go, each counted among those that lack nothing which it holds: a partial backup is no day of a whole
    /// one's, and where one place more is missing since yesterday, what was made before stays until that is over.
    private static func expired(_ items: [CatalogueItem], _ rule: RetentionRule) -> [CatalogueItem] {
        guard items.contains(where: { !$0.lack.isNothing }) else { return rule.expired(items) }
        return items.filter { item in
            rule.expired(Self.those(of: items, in: item.lack)).contains { $0.name == item.name }
        }
    }

    /// What can stand in for what lacks this.
    private static func those(of items: [CatalogueItem], in lack: Lack) -> [CatalogueItem] {
        items.filter { $0.lack.isWithin(lack) }
    }

    /// Expired ones stay as long as nothing else is independent of the newest: as many as show two copies. Where nothing is
    /// known to be, one that may be.
    private mutating func keepSecondCopy() {
        let all = staying + going.reversed()
        let kept = Set(
            Set(all.map(\.lack)).flatMap { lack in chains.copies(Self.those(of: all, in: lack)) }.map(\.name))
        staying += going.filter { kept.contains($0.name) }
        going.removeAll { kept.contains($0.name) }
        staying.sort { ($0.created, $0.name.string) > ($1.created, $1.name.string) }
    }

    /// Whether the file stays under another name.
    func staysUnderAnotherName(_ item: CatalogueItem) -> Bool {
        let goingNames = Set(going.map(\.name))
        return item.kind == .compressed
            && items.contains { $0.isSameFile(as: item) && !goingNames.contains($0.name) }
    }

    /// What must be read before any bytes go: of those that hold what goes, the newest good one that stays and the newest that is
    /// independent of it.
    /// - Parameter started: when this began; a copy that would be the only one, for all that is known, is read after that.
    func toRead(now: LocalTime, since started: LocalTime) -> [CatalogueItem] {
        let lacks = Set((going.isEmpty ? staying : going).map(\.lack))
        let due = lacks.flatMap { lack in
            let copies = chains.copies(Self.those(of: staying, in: lack))
            let isTwo = chains.isTwo(copies)
            return copies.enumerated().filter { place, item in
                let read = item.lastReadLookingInside(now) ?? .min
                // Within the second of the beginning nobody can tell which came first.
                return place == 0 && !isTwo ? read <= started.epoch : read < now.epoch - Self.week
            }.map(\.element.name)
        }
        return staying.filter { due.contains($0.name) }
    }

    /// Seconds.
    private static let week: Int64 = 7 * 86_400
}
