// SPDX-License-Identifier: Apache-2.0

import Curl
import SystemIO

/// Large objects in parts (Amazon S3 User Guide, "Multipart upload").
extension S3Connection {
    /// Parts of an upload at most.
    private static let partLimit: UInt64 = 10_000

    func putInParts(_ content: PutContent, _ key: ObjectKey, _ mark: String?) throws {
        let size = partSize(of: content.size, atLeast: settings.partSize)
        try upload(key, headers: headers(mark), size: content.size, part: size) { query, offset, length in
            var retries = retries
            let answer = try retries.run {
                try send(
                    content.request(key, headers: [], query: query, length: length),
                    from: content.reader(at: offset, length: length))
            }
            return EntityTag.unquoted(answer.head["etag"])
        }
    }

    func copyInParts(_ found: ObjectDescription, from source: [String], to target: ObjectKey) throws {
        let size = partSize(of: found.stamps.size, atLeast: min(settings.copyLimit, 1 << 30))
        try upload(target, headers: headers(found.mark), size: found.stamps.size, part: size) { query, offset, length in
            let range = "x-amz-copy-source-range: bytes=\(offset)-\(offset + length - 1)"
            let request = Request(
                method: .put(length: 0), key: target, query: query, headers: source + [range])
            var retries = retries
            let answer = try retries.run { try sendExpectingNoError(request) { _ in 0 } }
            return EntityTag.unquoted(try? XMLScanner.texts(answer.body, of: ["ETag"])["ETag"])
        }
    }

    private func partSize(of size: UInt64, atLeast least: UInt64) -> UInt64 {
        max(least, size / Self.partLimit + 1)
    }

    /// - Parameter send: sends a part, and returns its ETag.
    private func upload(
        _ key: ObjectKey, headers: [String], size: UInt64, part: UInt64,
        send: (_ query: [(String, String)], _ offset: UInt64, _ length: UInt64) throws -> String?
    ) throws {
        let id = try begin(key, headers)
        do {
            var list = ""
            var (offset, number): (UInt64, Int) = (0, 1)
            while offset < size {
                let length = min(part, size - offset)
                guard let tag = try send([("partNumber", "\(number)"), ("uploadId", id)], offset, length) else {
                    throw ObjectStoreError.badAnswer(place: store.place, reason: "a part without an ETag")
                }
                list += "<Part><PartNumber>\(number)</PartNumber><ETag>&quot;\(tag)&quot;</ETag></Part>"
                (offset, number) = (offset + length, number + 1)
            }
            let body = Array("<CompleteMultipartUpload>\(list)</CompleteMultipartUpload>".utf8)
            var request = Request(method: .post(body), key: key, query: [("uploadId", id)])
            request.headers = ["Content-Type: application/xml"]
            var retries = retries
            try retries.run { try sendExpectingNoError(request) }
        } catch {
            // What was sent would be kept, and paid for. The error that matters is the one that ended it.
            _ = try? sendPatiently(Request(method: .delete, key: key, query: [("uploadId", id)]))
            throw error
        }
    }

    private func begin(_ key: ObjectKey, _ headers: [String]) throws -> String {
        var request = Request(method: .post([]), key: key, query: [("uploads", "")], headers: headers)
        request.headers.append("Content-Type: application/octet-stream")
        let answer = try sendPatiently(request)
        guard let id = (try? XMLScanner.texts(answer.body, of: ["UploadId"]))?["UploadId"] else {
            throw ObjectStoreError.badAnswer(place: store.place, reason: "no UploadId")
        }
        return id
    }
}
