// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A tree of objects anywhere: list, read, write, copy, delete. Keys are below its root.
package protocol RemoteStore: Sendable {
    /// For people, without credentials.
    var place: String { get }

    /// What ends each request of it.
    var cancellation: Cancellation { get }

    /// For one thread, whose requests it sends one after the other; it keeps its connection between them.
    /// - Parameter cancellation: ends its requests; the store's own, or one within it.
    func connect(_ cancellation: Cancellation) throws -> any StoreConnection

    /// All objects, in the order of their keys' bytes, in bounded memory: of S3 a page, of the other kinds a folder a level. For one thread.
    func list() throws -> any ObjectListing

    /// What is directly below the root: objects, and the first parts of keys.
    /// - Parameter limit: no more is asked for once there are so many.
    func topNames(atMost limit: Int) throws -> Set<[UInt8]>

    /// Whether there is any object whose key begins with this one and a slash.
    func holdsAnything(below folder: ObjectKey) throws -> Bool
}

extension RemoteStore {
    package func connect() throws -> any StoreConnection { try connect(cancellation) }
}

/// The objects of a store one by one, in the order of their keys' bytes.
package protocol ObjectListing: AnyObject {
    /// Whether the store may hold objects that do not come: whoever lists them drops keys that are no paths.
    var mayLackKeys: Bool { get }

    /// - Returns: `nil` after the last. - Throws: `ObjectStoreError`, `CancelledError`.
    func next() throws -> ListedObject?
}

/// Not Sendable: it is made, used and freed on one thread.
///
/// All of it tries again what the store refuses for the moment (`RequestPatience`), and throws `ObjectStoreError`, or `CancelledError`.
package protocol StoreConnection: AnyObject {
    /// - Returns: `nil` where there is no such object.
    func describe(_ key: ObjectKey) throws -> ObjectDescription?

    /// Reads an object from its beginning to its end, in order. What broke off is gone on with, unless the object is another by then.
    /// - Parameters:
    ///   - begin: called once, before the first piece; an empty object has no piece. Its stamps are those of what is read.
    ///   - piece: at most 256 KiB; the pointer ends with the call. It may take its time: nothing more is read meanwhile.
    /// - Returns: what the store said of the object once it was read. It differs from what `begin` got where the store may have given
    ///   parts of two.
    /// - Throws: `.gone` where there is none, `.changed` where another object has come while it was read.
    func read(
        _ key: ObjectKey, begin: (ObjectDescription) throws -> Void, piece: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> ObjectDescription

    /// - Parameter mark: kept with the object and by each copy of it, where `keepsMarks`.
    func put(_ source: ObjectSource, as key: ObjectKey, mark: String?) throws

    /// By the store itself, with the mark, where it can; else through this machine. What lies at `target` is replaced.
    /// - Throws: `.gone` where there is no `source`.
    func copy(_ source: ObjectKey, to target: ObjectKey) throws

    /// An object that is not there is no error.
    func delete(_ key: ObjectKey) throws

    /// Whether the store keeps a mark with an object.
    var keepsMarks: Bool { get throws }
}

extension StoreConnection {
    /// A small object whole. - Parameter limit: bytes; a larger one is `.tooLarge`.
    package func read(_ key: ObjectKey, limit: Int) throws -> (content: [UInt8], description: ObjectDescription) {
        var content: [UInt8] = []
        let description = try read(key) { description in
            guard description.stamps.size <= UInt64(limit) else {
                throw ObjectStoreError.tooLarge(key: key, limit: UInt64(limit))
            }
            content.reserveCapacity(Int(description.stamps.size))
        } piece: {
            content.append(contentsOf: $0)
        }
        return (content, description)
    }
}

/// What an object is made of.
package enum ObjectSource: Sendable {
    case bytes([UInt8])
    /// From its first byte to the last that it has now; its position is not moved.
    case file(OpenFile)
}
