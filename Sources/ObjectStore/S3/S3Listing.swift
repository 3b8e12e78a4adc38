// SPDX-License-Identifier: Apache-2.0

/// ListObjectsV2, a page of 1,000 keys at a time.
final class S3Listing: ObjectListing {
    let mayLackKeys = false

    private let connection: S3Connection
    private var page: ArraySlice<ListedObject> = []
    private var continuation: String?
    private var isAtEnd = false
    private var last: [UInt8]?

    init(_ connection: S3Connection) { self.connection = connection }

    func next() throws -> ListedObject? {
        let prefix = connection.settings.prefix
        while true {
            while let object = page.popFirst() {
                let name = object.key.bytes
                guard name.starts(with: prefix) else {
                    throw ObjectStoreError.badAnswer(place: connection.store.place, reason: "a key without the prefix")
                }
                // Who works in this order would take a key out of its place for one that is missing.
                if let last, !last.lexicographicallyPrecedes(name) {
                    throw ObjectStoreError.unordered(place: connection.store.place)
                }
                last = name
                // What consoles make when a person makes a folder of the prefix. It has no name below the root.
                if name.count == prefix.count, object.stamps.size == 0 { continue }
                return ListedObject(key: ObjectKey(bytes: Array(name[prefix.count...])), stamps: object.stamps)
            }
            if isAtEnd { return nil }
            try turn()
        }
    }

    private func turn() throws {
        let read = try connection.page(below: connection.settings.prefix, continuation: continuation)
        page = read.objects[...]
        continuation = read.continuation
        isAtEnd = read.continuation == nil
    }
}
