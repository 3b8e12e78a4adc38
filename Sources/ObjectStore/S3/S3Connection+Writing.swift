// SPDX-License-Identifier: Apache-2.0

import Curl
import SystemIO

extension S3Connection: StoreConnection {
    var keepsMarks: Bool { true }

    func put(_ source: ObjectSource, as key: ObjectKey, mark: String?) throws {
        let content = try PutContent(source)
        if content.size > settings.partSize { return try putInParts(content, key, mark) }
        var retries = retries
        try retries.run { try send(content.request(key, headers: headers(mark)), from: content.reader()) }
    }

    /// Header lines of a new object.
    func headers(_ mark: String?) -> [String] {
        settings.encryption + (mark.map { ["x-amz-meta-\(Self.markName): \($0)"] } ?? [])
    }

    func copy(_ source: ObjectKey, to target: ObjectKey) throws {
        // Whether it is there is told by a HEAD: an answer of 404 to the copy may be of either bucket or key.
        guard let found = try describe(source) else { throw ObjectStoreError.gone(key: source) }
        var from = ["x-amz-copy-source: /" + PercentEncoding.path(Array(settings.bucket.utf8) + [slash] + name(source))]
        if let tag = found.stamps.tag { from.append("x-amz-copy-source-if-match: \"\(tag)\"") }
        if found.stamps.size > settings.copyLimit {
            return try copyInParts(found, from: from, to: target)
        }
        let request = Request(method: .put(length: 0), key: target, headers: from + settings.encryption)
        var retries = retries
        try retries.run { try sendExpectingNoError(request) { _ in 0 } }
    }

    func delete(_ key: ObjectKey) throws {
        do { _ = try sendPatiently(Request(method: .delete, key: key)) } catch ObjectStoreError.gone {}
    }

    /// For requests whose answer begins before the store is done: an error may stand behind a 200.
    @discardableResult
    func sendExpectingNoError(
        _ request: Request, from source: ((UnsafeMutableRawBufferPointer) throws -> Int)? = nil
    ) throws -> HTTPChannel.Answer {
        let answer = try send(request, from: source)
        guard let refusal = S3Refusal(success: answer) else { return answer }
        let error = refusal.error(key: request.key, place: store.place)
        throw refusal.passes ? PassingFailure(error: error) : error
    }
}

private let slash = UInt8(ascii: "/")
