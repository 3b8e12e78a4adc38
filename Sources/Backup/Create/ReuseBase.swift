// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// The backup that the next one may take unchanged members from: the newest verified one of its kind that is ours.
struct ReuseBase {
    let item: CatalogueItem
    let sidecar: Sidecar
    /// `nil` where it cannot be read: then nothing can be said to be the same, and its damage shows when it is used.
    let manifest: Manifest?
    /// The independent backup whose bytes it shares.
    let chain: String
    /// Archives in a row that would share bytes with the one before.
    let generation: Int

    /// - Parameter items: the catalogue, newest first.
    /// - Returns: the newest whole one of ours; `nil` where there is none. A suspicious one holds what it holds.
    static func newest(_ kind: BackupName.Kind, among items: [CatalogueItem], _ ownership: Ownership) -> ReuseBase? {
        let now = LocalTime.now()
        guard
            let item = items.first(where: {
                // One that a person put here may claim anything of files on this machine. One dated in the future would
                // be the newest for ever.
                $0.isWhole && $0.kind == kind && $0.sidecar?.adopted == false && ownership.mayReuse($0)
                    && $0.created <= now
            }), let sidecar = item.sidecar
        else { return nil }
        return ReuseBase(
            item: item, sidecar: sidecar, manifest: try? item.quickManifest(), chain: Chains(items).chain(of: item),
            generation: (sidecar.generation ?? 0).adding(clamped: 1))
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
        copy.roots = roots.map { $0.map(\.withoutMoment) }
        copy.database.oldestUnseen = nil
        return copy
    }
}

extension Manifest.Root {
    fileprivate var withoutMoment: Manifest.Root {
        var copy = self
        copy.artifacts.walkStarted = 0
        return copy
    }
}
