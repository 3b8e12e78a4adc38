// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// The backup that the next one may take unchanged members from: the newest verified one of its kind.
struct ReuseBase {
    let item: CatalogueItem
    let sidecar: Sidecar
    let manifest: Manifest?
    /// Archives in a row that would share bytes with the one before.
    let generation: Int

    /// - Parameter fullEvery: every so many backups one is written wholly from its source, because bytes that thirty
    ///   archives share have one physical copy. One makes every backup such a one.
    /// - Returns: `nil` where there is none, or where an independent backup is due.
    static func choose(
        _ kind: BackupName.Kind, in folder: BackupFolder, fullEvery: Int
    ) throws -> ReuseBase? {
        guard fullEvery > 1,
            // One that a person put here may claim anything of files on this machine.
            let item = try Catalogue(folder).items().first(where: {
                $0.status == .completed && $0.kind == kind && $0.sidecar?.adopted == false
            }), let sidecar = item.sidecar
        else { return nil }
        let generation = (sidecar.generation ?? 0) + 1
        guard generation < fullEvery else { return nil }
        return ReuseBase(item: item, sidecar: sidecar, manifest: try? manifest(of: item), generation: generation)
    }

    private static func manifest(of item: CatalogueItem) throws -> Manifest? {
        let bytes =
            switch item.kind {
            case .compressed: try IndexedArchive(item.path).content(of: .manifest)
            case .uncompressed:
                try OpenFile(item.path.appending(ArchiveLayout.manifestName), .readNoFollow).readAll()
            }
        return try bytes.map { try Manifest(decoding: $0, backup: item.name.string) }
    }

    /// Whether a backup with this manifest would say nothing that the one before does not.
    func says(theSameAs new: Manifest) -> Bool {
        guard let manifest else { return false }
        return manifest.withoutMoment == new.withoutMoment
    }
}

extension Manifest {
    /// All but when and where it was made.
    fileprivate var withoutMoment: Manifest {
        var copy = self
        copy.name = ""
        copy.created = 0
        copy.createdAt = ""
        copy.host = ""
        copy.artifacts.walkStarted = 0
        copy.database.oldestUnseen = nil
        return copy
    }
}
