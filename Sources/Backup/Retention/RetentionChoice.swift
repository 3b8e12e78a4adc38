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
        func expired(_ status: CatalogueItem.Status) -> [CatalogueItem] {
            rule.expired(ours.filter { $0.status == status }).filter { $0.name != justMade }
        }
        let good = expired(.completed)
        let goingNames = Set(good.map(\.name))
        staying = ours.filter { $0.status == .completed && !goingNames.contains($0.name) }
        going = Array(good.reversed())
        if !rule.keepsOne { keepSecondCopy() }
        // Suspicious ones push each other out, and nothing else.
        going = Array(expired(.suspicious).reversed()) + going
    }

    /// Expired ones stay as long as nothing else is independent of the newest: as many as show two copies. Where nothing is
    /// known to be, one that may be.
    private mutating func keepSecondCopy() {
        let kept = Set(chains.copies(staying + going.reversed()).map(\.name))
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

    /// What must be read before any bytes go: the newest good one that stays and the newest that is independent of it.
    /// - Parameter started: when this began; a copy that would be the only one, for all that is known, is read after that.
    func toRead(now: LocalTime, since started: LocalTime) -> [CatalogueItem] {
        let copies = chains.copies(staying)
        let isTwo = chains.isTwo(copies)
        return copies.enumerated().filter { place, item in
            let read = item.lastReadLookingInside(now) ?? .min
            // Within the second of the beginning nobody can tell which came first.
            return place == 0 && !isTwo ? read <= started.epoch : read < now.epoch - Self.week
        }.map(\.element)
    }

    /// Seconds.
    private static let week: Int64 = 7 * 86_400
}
