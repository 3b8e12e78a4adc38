// SPDX-License-Identifier: Apache-2.0

import Synchronization
import SystemIO

/// Lists a folder again and again and reads only what changed: the folder stays the truth, but ten thousand sidecars are not
/// parsed anew because somebody looked.
package final class CatalogueListing: Sendable {
    /// What tells that neither file was touched: a content that is another has another time of change, or is younger than its clock.
    fileprivate struct Stamp: Equatable {
        let file: FileStatus
        let sidecar: FileStatus?
    }

    private struct Known {
        let stamp: Stamp
        let item: CatalogueItem?
    }

    private let catalogue: Catalogue
    private let known: Monitor<[String: Known]> = Monitor([:])

    private let clock: @Sendable () -> Int64
    private let readSoFar = Atomic(0)

    /// - Parameter clock: the time, in seconds since 1970 UTC.
    package init(_ catalogue: Catalogue, clock: @escaping @Sendable () -> Int64 = { LocalTime.now().epoch }) {
        self.catalogue = catalogue
        self.clock = clock
    }

    /// How many names were looked at anew.
    var reads: Int { readSoFar.load(ordering: .relaxed) }

    /// As `Catalogue.items`.
    package func items() throws -> [CatalogueItem] {
        try known.withLock { known in
            let now = clock()
            var next: [String: Known] = [:]
            let items = try catalogue.items { name in
                let stamp = self.stamp(name)
                if let stamp, let before = known[name.string], before.stamp == stamp {
                    next[name.string] = before
                    return before.item
                }
                readSoFar.wrappingAdd(1, ordering: .relaxed)
                let item = catalogue.item(name)
                // A clock ticks a few hundred times a second, on some file systems once in two: what is written in the same
                // tick has the same stamp. Of a folder the content is not in its stamp.
                if let stamp, stamp.file.kind == .file, stamp.isOlder(than: now - 2), item?.isSettled != false {
                    next[name.string] = Known(stamp: stamp, item: item)
                }
                return item
            }
            known = next
            return items
        }
    }

    private func stamp(_ name: BackupName) -> Stamp? {
        let folder = catalogue.folder.path
        // What cannot be looked at is told apart by who reads it.
        do {
            return Stamp(
                file: try FileStatus.of(folder.appending(name.string)),
                sidecar: try FileStatus.ifPresent(folder.appending(name.sidecar)))
        } catch { return nil }
    }
}

extension CatalogueItem {
    /// What could not be read may be readable the next time, unchanged.
    fileprivate var isSettled: Bool {
        if case .unreadable = sidecarFault { return false }
        return true
    }
}

extension CatalogueListing.Stamp {
    fileprivate func isOlder(than epoch: Int64) -> Bool {
        [file, sidecar].allSatisfy { status in
            guard let status else { return true }
            return status.changed.seconds < epoch && status.modified.seconds < epoch
        }
    }
}
