// SPDX-License-Identifier: Apache-2.0

import Curl

extension S3Connection {
    /// The name of the object's metadata with our mark.
    static let markName = "mlflow-backup-mark"

    func describe(_ key: ObjectKey) throws -> ObjectDescription? {
        do {
            return try Self.description(sendPatiently(Request(method: .head, key: key)).head, place: store.place)
        } catch ObjectStoreError.gone {
            return nil
        }
    }

    /// S3 gives one version of an object whole, so its stamps in the answer are those of what was read.
    func read(
        _ key: ObjectKey, begin: (ObjectDescription) throws -> Void, piece: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> ObjectDescription {
        let place = store.place
        return try PartialRead.run(
            key, over: channel, describe: { try Self.description($0, place: place) }, begin: begin, piece: piece
        ) { headers, sink in
            try send(Request(key: key, headers: headers), into: sink)
        }
    }

    static func description(_ head: CurlHead, place: String) throws(ObjectStoreError) -> ObjectDescription {
        guard let size = head["content-length"].flatMap({ UInt64($0) }) else {
            throw .badAnswer(place: place, reason: "no Content-Length")
        }
        return ObjectDescription(
            stamps: ObjectStamps(
                size: size, tag: EntityTag.unquoted(head["etag"]), modified: TimeText.http(head["last-modified"]),
                version: head["x-amz-version-id"].flatMap { $0 == "null" ? nil : $0 }),
            mark: head["x-amz-meta-" + markName])
    }
}
