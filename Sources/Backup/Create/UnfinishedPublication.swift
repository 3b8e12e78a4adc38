// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// What is to become of a backup, on disk before it is published: whoever is killed between archive and sidecar leaves
/// this, and the next operation reads the archive and writes its sidecar.
struct PublicationIntent {
    static let prefix = "publishing-"
    private static let suffix = ".json"

    private let path: FilePath

    init(_ name: BackupName, in folder: BackupFolder) {
        path = folder.state.appending(Self.prefix + name.string + Self.suffix)
    }

    func write(_ sidecar: Sidecar) throws {
        try SealedRecord.write(sidecar, to: path, mode: 0o640)
    }

    func remove() throws {
        if try FileStatus.ifPresent(path) != nil { try Directory.remove(path) }
    }

    /// - Returns: `nil` where it is damaged, as after a power cut: only its name says then that the archive is ours.
    func read() throws -> Sidecar? { try SealedRecord.read(Sidecar.self, at: path) }

    /// The names of backups that have one.
    static func names(in folder: BackupFolder) throws -> [BackupName] {
        try Directory.names(in: folder.state).compactMap { bytes in
            let name = String(decoding: bytes, as: UTF8.self)
            guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
            return BackupName(String(name.dropFirst(prefix.count).dropLast(suffix.count)))
        }
    }
}

/// Backups whose maker died between publishing the archive and writing its sidecar.
package struct UnfinishedPublication: Sendable {
    private let workspace: Workspace

    package init(_ workspace: Workspace) { self.workspace = workspace }

    /// Reads each and writes what was found: it is a backup of ours like any other then, or a damaged one. Call it under
    /// the folder's lock. What goes wrong is logged, and tried again by the next operation.
    /// - Throws: `CancelledError`, and nothing else.
    package func settle() throws {
        do {
            for name in try PublicationIntent.names(in: workspace.folder) { try settle(name) }
            try settleNewest()
        } catch let error as CancelledError {
            throw error
        } catch {
            workspace.log.warning(
                "a backup that was being published could not be looked at", ["reason": error.bilingual.english])
        }
    }

    /// 0.1.0 left no word of what it was publishing. What it left is the newest in the folder, and its manifest says that it
    /// was made under this name, from this database.
    private func settleNewest() throws {
        let now = LocalTime.now()
        // One dated in the future would hide it until that day.
        guard let item = try Catalogue(workspace.folder).items().first(where: { $0.created <= now }),
            item.status == .unverified, item.sidecar == nil,
            let manifest = try item.quickManifest(), manifest.name == item.name.string, manifest.stack == nil,
            manifest.database.name == workspace.stack.database.name
        else { return }
        workspace.log.warning(
            "an earlier version was interrupted before it was listed, so it is read now", ["name": item.name])
        try judge(item, manifest)
    }

    /// Of one that is ours, and of which nothing more is known: the bytes are read, and what it holds is compared as a new
    /// one's is.
    private func judge(_ item: CatalogueItem, _ manifest: Manifest) throws {
        do {
            var sidecar = try Verification(
                workspace.folder, log: workspace.log, cancellation: workspace.cancellation, progress: workspace.progress
            ).run(item).sidecar
            sidecar.adopted = false
            sidecar = try sidecar.judgedAgain(as: item, manifest, in: workspace.folder)
            sidecar.status = sidecar.goodStatus
            try sidecar.write(in: workspace.folder)
        } catch  where error.isDamage {
            // It is marked, and the log says why.
        }
    }

    private func settle(_ name: BackupName) throws {
        let intent = PublicationIntent(name, in: workspace.folder)
        let item = try Catalogue(workspace.folder).items().first { $0.name == name }
        if let item, item.sidecar == nil {
            workspace.log.warning("its maker was interrupted before it was listed, so it is read now", ["name": name])
            do {
                if let draft = try intent.read(), draft.name == name.string {
                    try Verification(
                        workspace.folder, log: workspace.log, cancellation: workspace.cancellation,
                        progress: workspace.progress
                    ).run(item, draft: draft)
                } else if let manifest = try item.quickManifest(), manifest.name == name.string {
                    try judge(item, manifest)
                }
            } catch  where error.isDamage {
                // It is marked, and the log says why.
            }
        }
        try intent.remove()
    }
}
