// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Folder by folder, each sorted. A folder sorts with the slash behind its name, since all its keys have it: `a-b` and `a.txt` come
/// before `a/x`, and `a0` behind it.
final class RcloneListing: ObjectListing {
    let mayLackKeys: Bool

    private let connection: RcloneConnection
    private let abilities: RcloneAbilities
    /// The folders on the way, outermost first, each with what is left of it, last first.
    private var levels: [[Entry]] = []
    private var isBegun = false
    private var last: ObjectKey?

    private struct Entry {
        /// From the root on; a folder's with a slash at its end.
        let key: [UInt8]
        /// `nil` for a folder.
        let stamps: ObjectStamps?
    }

    init(_ connection: RcloneConnection, _ abilities: RcloneAbilities) {
        (self.connection, self.abilities) = (connection, abilities)
        mayLackKeys = abilities.isBucket
    }

    func next() throws -> ListedObject? {
        if !isBegun {
            levels = [try entries(of: []) ?? []]
            isBegun = true
        }
        while let depth = levels.indices.last {
            guard let entry = levels[depth].popLast() else {
                levels.removeLast()
                continue
            }
            if let stamps = entry.stamps {
                let key = ObjectKey(bytes: entry.key)
                // Stores that have two objects of one name (Google Drive) have no order either.
                if let last, last >= key { throw ObjectStoreError.unordered(place: connection.store.place) }
                last = key
                return ListedObject(key: key, stamps: stamps)
            }
            // It may have gone meanwhile, with all that was in it.
            if let inner = try entries(of: entry.key) { levels.append(inner) }
        }
        return nil
    }

    /// The names in one folder.
    /// - Parameter folder: as below.
    func names(in folder: [UInt8]) throws -> [[UInt8]] {
        try (entries(of: folder) ?? []).map { entry in
            Array(entry.key[folder.count...].prefix { $0 != UInt8(ascii: "/") })
        }
    }

    /// - Parameter folder: with a slash at its end, or empty for the root.
    /// - Returns: sorted, last first; `nil` where it is gone.
    private func entries(of folder: [UInt8]) throws -> [Entry]? {
        struct Answer: Decodable { let list: [RcloneEntry]? }
        let key = folder.isEmpty ? nil : ObjectKey(bytes: Array(folder.dropLast()))
        let body: [UInt8]
        do {
            body = try connection.call(
                "operations/list",
                [
                    "fs": RcloneConnection.root, "remote": try key.map(connection.name) ?? "",
                    "opt": RcloneConnection.wishes(abilities), "_config": RcloneConnection.times(abilities),
                ], key: key)
        } catch ObjectStoreError.gone {
            return nil
        }
        let place = connection.store.place
        let list = try RcloneCall.decoded(Answer.self, body, place: place).list ?? []
        let entries = try list.map { entry in
            let name = folder + Array(entry.name.utf8)
            if entry.isFolder { return Entry(key: name + [UInt8(ascii: "/")], stamps: nil) }
            return Entry(key: name, stamps: try RcloneConnection.stamps(entry, abilities, place: place))
        }
        return entries.sorted { $1.key.lexicographicallyPrecedes($0.key) }
    }
}
