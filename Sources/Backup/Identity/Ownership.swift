// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Which backups of a folder are this stack's own: to re-use, and to let go. What is not, is left alone.
package struct Ownership: Sendable {
    package enum Owner: Sendable, Equatable {
        case ours
        /// Taken over by a restore not long ago: ours to use, not yet to remove.
        case claimedLately
        case foreign(StackIdentity)
    }

    package let stack: StackIdentity
    private let claims: Claims
    /// Stacks that made a backup after they were claimed.
    private let alive: Set<StackIdentity>
    private let hasForeign: Bool
    /// Backups that name no owner, with the database that their manifests name.
    private let unowned: [BackupName: String?]
    private let now: Moment

    /// - Parameter items: the whole catalogue of the folder.
    package init(
        of stack: StackIdentity, among items: [CatalogueItem], in folder: BackupFolder, now: Moment = .now()
    ) throws {
        let claims = Claims.read(in: folder)
        self.stack = stack
        self.claims = claims
        self.now = now
        var makers: [StackIdentity: Claim?] = [:]
        var alive: Set<StackIdentity> = []
        var unowned: [BackupName: String?] = [:]
        for item in items {
            guard let owner = item.sidecar?.stack else {
                // One that cannot be read is none that would be used or removed.
                let manifest = try? item.quickManifest()
                unowned[item.name] = .some(manifest?.database.name)
                // A living stack's, whose sidecar is lost.
                if let maker = manifest?.stack, claims.claim(of: stack, on: maker)?.isOutlived(by: item) == true {
                    alive.insert(maker)
                }
                continue
            }
            let claim = makers[owner] ?? claims.claim(of: stack, on: owner)
            makers[owner] = .some(claim)
            if claim?.isOutlived(by: item) == true { alive.insert(owner) }
        }
        self.alive = alive
        self.unowned = unowned
        hasForeign = makers.contains { !$0.key.isSameStack(as: stack) && $0.value == nil }
    }

    package func owner(of item: CatalogueItem) -> Owner {
        guard let owner = item.sidecar?.stack else {
            // Of 0.1.0, which wrote no owner but the database's name. Where another stack uses the folder, too, nobody can
            // tell.
            let database = unowned[item.name] ?? nil
            return hasForeign || (database != nil && database != stack.database)
                ? .foreign(StackIdentity(system: "?", database: database ?? "?", artifacts: nil)) : .ours
        }
        if owner.isSameStack(as: stack) { return .ours }
        guard let claim = claims.claim(of: stack, on: owner), holdsClaim(on: owner) else { return .foreign(owner) }
        return claim.at.age(at: now) > claim.grace ? .ours : .claimedLately
    }

    /// Whether the other stack's backups are taken over, and it has made none since.
    func holdsClaim(on other: StackIdentity) -> Bool {
        claims.claim(of: stack, on: other) != nil && !alive.contains { $0.isSameStack(as: other) }
    }

    /// Whether the next backup may take bytes over from it.
    package func mayReuse(_ item: CatalogueItem) -> Bool {
        switch owner(of: item) {
        case .ours, .claimedLately: true
        case .foreign: false
        }
    }

    /// Whether retention may count it and let it go.
    package func mayRemove(_ item: CatalogueItem) -> Bool { owner(of: item) == .ours }

    /// Whether it was made from a database of this name, by its manifest.
    func showsOurDatabase(_ item: CatalogueItem) -> Bool {
        (item.sidecar?.stack?.database ?? unowned[item.name] ?? nil) == stack.database
    }

    /// Backups that are left alone because they are another stack's, for a person to hear of.
    package func foreign(_ items: [CatalogueItem]) -> [CatalogueItem] {
        items.filter { if case .foreign = owner(of: $0) { true } else { false } }
    }

    /// What a person should know of whose the backups are: after a disaster or pg_upgrade the cluster is another one, and so
    /// are its backups. Where the artifacts folder lost its mark, nobody can tell whether it is the one that was backed up.
    /// - Parameter artifacts: the folder.
    package func warnings(_ items: [CatalogueItem], artifacts: FilePath) -> [BilingualText] {
        [foreignWarning(items), damagedClaimsWarning, stack.lostMarkWarning(items, artifacts: artifacts)].compactMap {
            $0
        }
    }

    private var damagedClaimsWarning: BilingualText? {
        guard claims.isDamaged else { return nil }
        return BilingualText(
            zh: "接管备份的记录 claims.json 已损坏：所接管的备份重新视为其他系统的，不会被复用、计数或删除。请再次运行 mlflow-backup claim。",
            en:
                "The list of claims, claims.json, is damaged: what was claimed counts as another stack's again, and is not used, "
                + "counted or removed. Run `mlflow-backup claim` again.")
    }

    /// A sentence on them; `nil` where there are none.
    func foreignWarning(_ items: [CatalogueItem]) -> BilingualText? {
        let foreign = foreign(items)
        guard let first = foreign.first else { return nil }
        return BilingualText(
            zh: "备份目录中有 \(foreign.count) 个其他系统的备份，例如 \(first.name)：它们不会被复用、计数或删除。"
                + "若属于本系统（例如重建数据库之后），请运行 mlflow-backup claim。",
            en:
                "\(foreign.count) backups in the folder are another stack's, such as \(first.name): they are not used again, "
                + "counted or removed. If they are this one's, as after a new database, run `mlflow-backup claim`.")
    }
}
