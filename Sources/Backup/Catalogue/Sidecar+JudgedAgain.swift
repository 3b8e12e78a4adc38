// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension Sidecar {
    /// What a sidecar that was damaged said of suspicion, told again from what the backup holds: losing that word must not
    /// make a suspicious backup a good one, which would push good ones out.
    ///
    /// It is measured by those made before it, as when it was made, and by the first good one after it: of those before,
    /// an old small one may be all that retention left. What a stack grew to much later is no measure of it.
    /// - Parameters:
    ///   - item: the backup whose sidecar this is to be.
    ///   - manifest: what it holds, once its bytes were read.
    /// - Throws: `BackupError.folderNotUsable` where the others cannot be looked at: it is not judged then, and nothing is
    ///   to be written.
    func judgedAgain(
        as item: CatalogueItem, _ manifest: Manifest, in folder: BackupFolder, now: LocalTime = .now()
    ) throws -> Sidecar {
        var judged = self
        let others = try Catalogue(folder).items().filter { $0.name != item.name }
        // One of 0.1.0 names no owner: every good one that is not a person's measures it.
        let owner =
            manifest.stack ?? stack
            ?? StackIdentity(system: "?", database: manifest.database.name, artifacts: nil)
        let ownership = try Ownership(of: owner, among: others, in: folder)
        let ours = others.filter { $0.isMeasureOfOurs(ownership) }
        judged.acceptance = Acceptance.last(among: ours, now)
        if let accepted = ours.compactMap({ $0.sidecar?.acceptance }).first(where: { $0.name == item.name.string }) {
            judged.suspicion = nil
            judged.acceptedAt = accepted.acceptedAt
            return judged
        }
        let before = Suspicion.measures(
            among: others.filter { $0.created <= item.created }, ownership, now: item.created)
        let after = Suspicion.measures(among: others.filter { $0.created > item.created }, ownership, now: now)
        judged.suspicion = Suspicion.of(
            manifest.summary, rows: manifest.database.rows,
            // A disk that was added later is missing in none before.
            mounts: before.isEmpty ? nil : manifest.allMounts, measuredBy: before + after.suffix(1))
        return judged
    }
}
