// SPDX-License-Identifier: Apache-2.0

import Curl
import SystemIO

/// An object that is read over one answer, or over several where one broke off.
final class PartialRead {
    typealias Begin = (ObjectDescription) throws -> Void
    typealias Piece = (UnsafeRawBufferPointer) throws -> Void
    typealias Sink = (CurlHead, UnsafeRawBufferPointer) throws -> Void

    private let key: ObjectKey
    private let place: String
    private let describe: (CurlHead) throws -> ObjectDescription
    private let begin: Begin
    private let piece: Piece
    private var found: ObjectDescription?
    /// Bytes that were handed on.
    private var done: UInt64 = 0
    /// Where in the object the answer under way is.
    private var position: UInt64 = 0
    private var isOpen = false

    private init(
        _ key: ObjectKey, _ place: String, _ describe: @escaping (CurlHead) throws -> ObjectDescription,
        _ begin: @escaping Begin, _ piece: @escaping Piece
    ) {
        (self.key, self.place, self.describe, self.begin, self.piece) = (key, place, describe, begin, piece)
    }

    /// - Parameters:
    ///   - describe: what an answer's head says of the object.
    ///   - send: sends the request, once, with these header lines, and its body into the sink.
    /// - Returns: what was read.
    static func run(
        _ key: ObjectKey, over channel: HTTPChannel, describe: @escaping (CurlHead) throws -> ObjectDescription,
        begin: Begin, piece: Piece, send: ([String], @escaping Sink) throws -> HTTPChannel.Answer
    ) throws -> ObjectDescription {
        try withoutActuallyEscaping(begin) { begin in
            try withoutActuallyEscaping(piece) { piece in
                try PartialRead(key, channel.place, describe, begin, piece).run(channel.retries, send)
            }
        }
    }

    private func run(
        _ retries: Retries, _ send: ([String], @escaping Sink) throws -> HTTPChannel.Answer
    ) throws -> ObjectDescription {
        var retries = retries
        while true {
            let before = done
            do {
                isOpen = false
                let answer = try send(conditions) { [unowned self] in try take($0, $1) }
                try open(answer.head)
                if let found, done == found.stamps.size { return found }
                throw PassingFailure(error: .brokenOff(place: place, reason: "\(done) bytes"))
            } catch let failure as PassingFailure {
                if let found, done == found.stamps.size { return found }
                if done > before { retries.succeeded() }
                try retries.wait(after: failure)
            }
        }
    }

    /// The rest, and only of the same object.
    private var conditions: [String] {
        guard let found, done > 0 else { return [] }
        return ["Range: bytes=\(done)-"] + (found.stamps.tag.map { ["If-Match: \"\($0)\""] } ?? [])
    }

    private func open(_ head: CurlHead) throws {
        if isOpen { return }
        isOpen = true
        position = 0
        guard let before = found else {
            let description = try describe(head)
            found = description
            return try begin(description)
        }
        // By the field and not by the status: rclone's server says 200 to a range, too.
        if let range = head["content-range"] {
            let tag = EntityTag.unquoted(head["etag"])
            guard range.hasPrefix("bytes \(done)-"), range.hasSuffix("/\(before.stamps.size)"),
                tag == before.stamps.tag,
                try before.stamps.modified == describe(head).stamps.modified
            else { throw ObjectStoreError.changed(key: key) }
            position = done
        } else if try !describe(head).stamps.agree(with: before.stamps) {
            throw ObjectStoreError.changed(key: key)
        }
    }

    private func take(_ head: CurlHead, _ bytes: UnsafeRawBufferPointer) throws {
        try open(head)
        // A store that does not know ranges begins anew: what was handed on is passed over.
        let known = Int(clamping: min(UInt64(bytes.count), done.subtracting(clamped: position)))
        position += UInt64(bytes.count)
        if known == bytes.count { return }
        try piece(UnsafeRawBufferPointer(rebasing: bytes[known...]))
        done = position
    }
}
