// SPDX-License-Identifier: Apache-2.0

import Crypto
import ObjectStore
import SystemIO
import Wording

/// What a store has, beside what a backup holds of it. What their stamps do not tell is read and compared by content.
struct RemoteComparison {
    /// In the backup alone.
    private(set) var missing: [StoredObject] = []
    /// Another object lies there.
    private(set) var differing: [(stored: StoredObject, live: ListedObject)] = []
    /// In the store alone.
    private(set) var extra: [ListedObject] = []
    private(set) var equal = 0

    /// - Parameter known: keys that were just written as the backup has them.
    init(_ stored: StoredObjects, _ store: any RemoteStore, knowing known: Set<ObjectKey> = []) throws {
        let listing = try store.list()
        var connection: (any StoreConnection)?
        var mine = try stored.next()
        var live = try Self.next(listing)
        while mine != nil || live != nil {
            try store.cancellation.check()
            if let one = mine, let other = live, one.key == other.key {
                let used = try connection ?? store.connect()
                connection = used
                let isKnown = known.contains(one.key) && one.stamps.size == other.stamps.size
                if try isKnown || Self.isSame(one, other, used) { equal += 1 } else { differing.append((one, other)) }
                mine = try stored.next()
                live = try Self.next(listing)
            } else if let one = mine, live.map({ one.key < $0.key }) ?? true {
                missing.append(one)
                mine = try stored.next()
            } else if let other = live {
                extra.append(other)
                live = try Self.next(listing)
            }
        }
    }

    private static func next(_ listing: any ObjectListing) throws -> ListedObject? {
        while let object = try listing.next() { if !RemoteRoot.isOurs(object.key) { return object } }
        return nil
    }

    private static func isSame(
        _ stored: StoredObject, _ live: ListedObject, _ connection: any StoreConnection
    ) throws -> Bool {
        guard stored.stamps.size == live.stamps.size else { return false }
        if let tag = stored.stamps.tag, tag == live.stamps.tag { return true }
        guard let digest = stored.digest else { return false }
        // Written anew, as by a restore: its tag may be another one, and its time is.
        var hash = SHA256()
        do {
            _ = try connection.read(live.key, begin: { _ in }, piece: { hash.update($0) })
        } catch ObjectStoreError.gone { return false } catch ObjectStoreError.changed { return false }
        return hash.finish() == digest
    }

    /// What a restore would replace.
    func newer() -> NewerData {
        let limit = 1000
        let others = differing.prefix(limit).map { item in
            let key = item.live.key.description.shown
            return BilingualText(zh: "对象 \(key) 与备份中的不同", en: "the object \(key) is another one than in the backup")
        }
        let added = extra.prefix(limit).map { object in
            let key = object.key.description.shown
            return BilingualText(zh: "对象 \(key) 不在备份中", en: "the object \(key) is not in the backup")
        }
        return NewerData(Array((others + added).prefix(limit)), total: differing.count.adding(clamped: extra.count))
    }
}
