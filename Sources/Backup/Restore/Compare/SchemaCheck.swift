// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

/// Whether the live MLflow could use what a restore would bring. Nothing leads back from a newer schema; from an older one
/// `mlflow db upgrade` does, which the restore runs before it compares anything, or where that cannot be a person afterwards.
struct SchemaCheck {
    let stack: LiveStack
    /// Goes on with an older schema.
    let force: Bool
    let upgradeCommand: String?
    /// What the restore itself runs instead.
    var upgrade: RestoreJob.Options.Upgrade?

    /// - Returns: what has to be done after the restore; `nil` where nothing is.
    /// - Throws: `BackupError.schemaNewer` whatever `force` says; `.schemaOlder` and `.schemaDiffers` without it.
    func run(_ manifest: Manifest, backup: String) throws -> BilingualText? {
        guard let (stored, live) = try revisions(manifest) else { return nil }
        switch order(of: stored, manifest.mlflow.version, to: live) {
        case .newer:
            throw BackupError.schemaNewer(
                backup: backup, revision: stored, live: live,
                install: manifest.mlflow.version ?? SchemaRevisions.release(ofHead: stored))
        case .older where !force:
            throw BackupError.schemaOlder(
                backup: backup, revision: stored, live: live, command: upgradeCommand, isUpgraded: upgrade != nil)
        case .unknown where !force: throw BackupError.schemaDiffers(backup: backup, revision: stored, live: live)
        case .older, .unknown:
            guard let upgrade else { return BackupError.upgradeAdvice(upgradeCommand) }
            try upgrade.checkThere()
            return nil
        case .same: return nil
        }
    }

    /// The live revision, where the restored database has to be brought to it.
    func revisionToReach(from manifest: Manifest) throws -> String? { try revisions(manifest)?.live }

    /// `nil` where both are the same, or one of them is not there.
    private func revisions(_ manifest: Manifest) throws -> (stored: String, live: String)? {
        guard let stored = manifest.mlflow.alembicRevision, let live = try stack.database.revision(), stored != live
        else {
            return nil
        }
        return (stored, live)
    }

    /// By the order of revisions; where one is unknown, by the versions of MLflow that use them.
    private func order(of stored: String, _ version: String?, to live: String) -> SchemaRevisions.Order {
        let order = SchemaRevisions.order(stored, live)
        guard order == .unknown, let version, let running = stack.mlflowVersion() else { return order }
        let (one, other) = (Self.numbers(version), Self.numbers(running))
        if one == other { return .unknown }
        return one.lexicographicallyPrecedes(other) ? .older : .newer
    }

    /// `3.17.2.dev0` is 3, 17, 2.
    private static func numbers(_ version: String) -> [Int] {
        version.split(separator: ".").prefix { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }.map { Int($0) ?? 0 }
    }
}
