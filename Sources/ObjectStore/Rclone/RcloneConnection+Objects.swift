// SPDX-License-Identifier: Apache-2.0

import Curl
import SystemIO

extension RcloneConnection: StoreConnection {
    private static let markName = "mlflow-backup-mark"

    var keepsMarks: Bool { get throws { try abilities.keepsMarks } }

    func describe(_ key: ObjectKey) throws -> ObjectDescription? {
        let abilities = try abilities
        struct Answer: Decodable { let item: RcloneEntry? }
        let body: [UInt8]
        do {
            body = try call(
                "operations/stat",
                [
                    "fs": Self.root, "remote": try name(key), "_config": Self.times(abilities),
                    "opt": Self.wishes(abilities, marks: true),
                ], key: key)
        } catch ObjectStoreError.gone {
            return nil
        }
        guard let item = try RcloneCall.decoded(Answer.self, body, place: store.place).item, !item.isFolder else {
            return nil
        }
        return ObjectDescription(
            stamps: try Self.stamps(item, abilities, place: store.place), mark: item.metadata?[Self.markName])
    }

    /// rclone's own times would cost a HEAD an object on some stores: those of the server come with the listing.
    static func times(_ abilities: RcloneAbilities) -> [String: Any] {
        ["UseServerModTime": abilities.usesServerTimes]
    }

    /// - Parameter marks: whether metadata is asked for, too.
    static func wishes(_ abilities: RcloneAbilities, marks: Bool = false) -> [String: Any] {
        [
            "showHash": abilities.hasFreeHashes, "noModTime": abilities.granularity == nil,
            // The type of content costs a HEAD as well.
            "noMimeType": true, "metadata": marks && abilities.keepsMarks,
        ]
    }

    static func stamps(
        _ entry: RcloneEntry, _ abilities: RcloneAbilities, place: String
    ) throws(ObjectStoreError) -> ObjectStamps {
        guard let size = UInt64(exactly: entry.size) else {
            throw .badAnswer(place: place, reason: "an object without a size")
        }
        // One of several, always the same: the first by name.
        let hash = entry.hashes?.filter { !$0.value.isEmpty }.min { $0.key < $1.key }
        var modified = entry.modified.flatMap(TimeText.internet)
        if let granularity = abilities.granularity {
            modified = modified.map { .init(nanoseconds: $0.nanoseconds, granularity: granularity) }
        } else {
            modified = nil
        }
        return ObjectStamps(size: size, tag: hash.map { "\($0.key):\($0.value)" }, modified: modified)
    }

    func read(
        _ key: ObjectKey, begin: (ObjectDescription) throws -> Void, piece: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> ObjectDescription {
        let path = "%5B\(Self.root)%5D/" + PercentEncoding.path(try name(key).utf8)
        let place = store.place
        let found = try PartialRead.run(
            key, over: channel, describe: { try S3Connection.description($0, place: place) }, begin: begin,
            piece: piece
        ) { headers, sink in
            try send(path, .get, headers: headers, key: key, into: sink)
        }
        // A bucket gives one object or another. A file may be written to while it is read: what has come between is seen by who
        // compares the two.
        if try abilities.isBucket { return found }
        guard let after = try describe(key) else { throw ObjectStoreError.changed(key: key) }
        return after
    }

    func put(_ source: ObjectSource, as key: ObjectKey, mark: String?) throws {
        let target = try name(key)
        let file: FilePath
        var own: TemporaryFile?
        switch source {
        case .file(let open): file = open.path
        case .bytes(let bytes):
            let made = try TemporaryFile(bytes, in: store.daemon.folder)
            (own, file) = (made, made.path)
        }
        try withExtendedLifetime(own) {
            guard let source = String(validating: file.lastComponent, as: UTF8.self),
                let folder = String(validating: file.parent.bytes, as: UTF8.self)
            else { throw ObjectStoreError.keyNotExpressible(key: ObjectKey(bytes: file.bytes)) }
            try copyFile(from: ["srcFs": folder, "srcRemote": source], to: target, mark: mark, key: key)
        }
    }

    func copy(_ source: ObjectKey, to target: ObjectKey) throws {
        let from = ["srcFs": Self.root, "srcRemote": try name(source)]
        // rclone says the same of a source that is not there and of a folder that is not.
        guard try describe(source) != nil else { throw ObjectStoreError.gone(key: source) }
        try copyFile(from: from, to: try name(target), mark: nil, key: source)
    }

    private func copyFile(from source: [String: String], to target: String, mark: String?, key: ObjectKey) throws {
        // Without these rclone leaves a target alone that has the same size and time.
        var config: [String: Any] = ["IgnoreTimes": true]
        if try abilities.keepsMarks {
            config["Metadata"] = true
            if let mark { config["MetadataSet"] = [Self.markName: mark] }
        }
        var input: [String: Any] = source
        input.merge(["dstFs": Self.root, "dstRemote": target, "_config": config]) { _, new in new }
        _ = try call("operations/copyfile", input, key: nil)
    }

    func delete(_ key: ObjectKey) throws {
        do {
            _ = try call("operations/deletefile", ["fs": Self.root, "remote": try name(key)], key: key)
        } catch ObjectStoreError.gone {}
    }
}

/// Bytes that rclone is to send, which it takes from files alone.
private final class TemporaryFile {
    let path: FilePath

    init(_ bytes: [UInt8], in folder: FilePath) throws {
        path = folder.appending("put-\(UInt64.random(in: 0 ... .max))")
        try OpenFile(path, .createNew(mode: 0o600)).write(bytes)
    }

    deinit {
        // Its folder goes with the operation.
        try? Directory.remove(path)
    }
}
