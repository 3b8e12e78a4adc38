// SPDX-License-Identifier: Apache-2.0

import Curl
import SystemIO

/// One thread's way to a store or to rclone: libcurl's handle with its open connections, and how failures of the line are told.
final class HTTPChannel {
    let place: String
    let patience: RequestPatience
    let contact: FirstContact
    let cancellation: Cancellation
    private let handle: CurlHandle

    init(_ place: String, _ patience: RequestPatience, _ contact: FirstContact, _ cancellation: Cancellation) throws {
        (self.place, self.patience, self.contact, self.cancellation) = (place, patience, contact, cancellation)
        handle = try CurlHandle()
    }

    struct Answer {
        let head: CurlHead
        /// At most 64 MiB of it; empty where it went to a sink.
        let body: [UInt8]
    }

    /// The largest answer that is collected: a page of S3's with 1,000 keys of 1,024 bytes, each byte written as `%XX`, has 4 MiB.
    private static let bodyLimit = 64 << 20

    var retries: Retries { Retries(patience, contact, cancellation) }

    /// Sends one request, once.
    /// - Parameters:
    ///   - stalls: whether it ends when nothing comes.
    ///   - prepare: what is more to be said of it.
    /// - Throws: `PassingFailure` of the line, `ObjectStoreError`, `CancelledError`, and what `source` and `sink` throw.
    func send(
        _ url: String, _ method: CurlTransfer.Method, stalls: Bool = true,
        prepare: (CurlTransfer) throws(CurlError) -> Void,
        from source: ((UnsafeMutableRawBufferPointer) throws -> Int)? = nil,
        into sink: ((CurlHead, UnsafeRawBufferPointer) throws -> Void)? = nil
    ) throws -> Answer {
        do {
            let transfer = try CurlTransfer(
                url, protocols: "http,https", connectSeconds: patience.connecting, seconds: nil, on: handle)
            if stalls { try transfer.setStallLimit(seconds: patience.stall) }
            try transfer.setMethod(method)
            try prepare(transfer)
            let cancellation = cancellation
            let head = try transfer.perform(bodyLimit: Self.bodyLimit, from: source, into: sink) {
                cancellation.isCancelled
            }
            return Answer(head: head, body: transfer.body)
        } catch let error as CurlError {
            throw failure(error)
        }
    }

    private func failure(_ error: CurlError) -> any Error {
        let reason = error.message
        return switch error.kind {
        case .unknownHost: PassingFailure(error: .unknownHost(place: place, reason: reason))
        case .cannotConnect: PassingFailure(error: .cannotConnect(place: place, reason: reason))
        // libcurl has one code for a connection that does not come about and one that says nothing any more.
        case .timedOut where reason.hasPrefix("Operation too slow"):
            PassingFailure(error: .stalled(place: place, seconds: patience.stall))
        case .timedOut where reason.hasPrefix("Resolving timed out"):
            PassingFailure(error: .unknownHost(place: place, reason: reason))
        case .timedOut: PassingFailure(error: .cannotConnect(place: place, reason: reason))
        case .brokenOff: PassingFailure(error: .brokenOff(place: place, reason: reason))
        case .encryption: ObjectStoreError.certificate(place: place, reason: reason)
        case .ended: CancelledError()
        case .writeRefused: ObjectStoreError.badAnswer(place: place, reason: reason)
        case .unsupportedURL: ObjectStoreError.badLocation(reason: reason)
        case .login, .other: ObjectStoreError.badAnswer(place: place, reason: reason)
        }
    }
}
