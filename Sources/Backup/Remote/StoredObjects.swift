// SPDX-License-Identifier: Apache-2.0

import Archive
import Crypto
import ObjectStore
import SystemIO

/// An object that a backup holds.
struct StoredObject {
    let key: ObjectKey
    /// Where it is in the backup.
    let path: EntryPath
    let stamps: ObjectStamps
    let digest: Digest?
}

/// The objects that a backup holds of one root, in the order of their keys: those whose keys are paths and those whose are none lie in
/// two sections, each in that order.
final class StoredObjects {
    private let sections: [Section]

    /// - Throws: `ArchiveError.notABackup` for an archive that somebody packed again, which has no index of ours.
    init(_ item: CatalogueItem, of root: String) throws {
        let places = ObjectPlaces(root: root)
        let contents = BackupContents(item)
        sections = try [places.section, EntryPath.keys(of: root)].map { try Section(contents.records(), $0) }
    }

    func next() throws -> StoredObject? {
        let heads = try sections.compactMap { section in try section.peek().map { (section, $0) } }
        guard let first = heads.min(by: { $0.1.key < $1.1.key }) else { return nil }
        first.0.take()
        return first.1
    }

    private final class Section {
        private let records: RecordStream
        private let section: EntryPath
        private var waiting: StoredObject?
        private var isBegun = false
        private var isAtEnd = false

        init(_ records: RecordStream, _ section: EntryPath) {
            self.records = records
            self.section = section
        }

        func take() { waiting = nil }

        func peek() throws -> StoredObject? {
            while waiting == nil, !isAtEnd {
                guard let record = try records.next() else {
                    isAtEnd = true
                    break
                }
                guard let below = record.entry.path.relative(to: section), let stamps = ObjectStamps(record.entry)
                else {
                    // A section is in one piece.
                    if isBegun, record.entry.path.relative(to: section) == nil { isAtEnd = true }
                    continue
                }
                isBegun = true
                let key = ObjectKey(bytes: record.entry.object?.key ?? below.bytes)
                waiting = StoredObject(key: key, path: record.entry.path, stamps: stamps, digest: record.digest)
            }
            return waiting
        }
    }
}
