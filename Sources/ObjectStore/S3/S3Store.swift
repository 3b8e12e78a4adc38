// SPDX-License-Identifier: Apache-2.0

import Curl
import SystemIO

/// S3, and whatever speaks it, without rclone: any key, ETags of all objects, a page of a listing at a time.
package struct S3Store: RemoteStore {
    package let place: String
    let settings: S3Settings
    let patience: RequestPatience
    package let cancellation: Cancellation
    let contact = FirstContact()
    /// Where the bucket is, once a store has said that it is elsewhere.
    let region: Monitor<String>

    /// - Parameter place: for people, without credentials.
    package init(
        _ settings: S3Settings, place: String, patience: RequestPatience = RequestPatience(),
        cancellation: Cancellation = Cancellation()
    ) {
        (self.settings, self.place, self.patience, self.cancellation) = (settings, place, patience, cancellation)
        region = Monitor(settings.region)
    }

    package func connect(_ cancellation: Cancellation) throws -> any StoreConnection { try connection(cancellation) }
    package func list() throws -> any ObjectListing { S3Listing(try connection(cancellation)) }

    func looking() throws -> S3Connection { try connection(cancellation) }

    private func connection(_ cancellation: Cancellation) throws -> S3Connection {
        S3Connection(self, try HTTPChannel(place, patience, contact, cancellation))
    }
}

/// Requests to one bucket, from one thread.
final class S3Connection {
    let store: S3Store
    let channel: HTTPChannel

    init(_ store: S3Store, _ channel: HTTPChannel) { (self.store, self.channel) = (store, channel) }

    var settings: S3Settings { store.settings }
    var retries: Retries { channel.retries }

    /// The name of an object for the store.
    func name(_ key: ObjectKey) -> [UInt8] { settings.prefix + key.bytes }

    struct Request {
        var method = CurlTransfer.Method.get
        /// `nil` for the bucket itself.
        var key: ObjectKey?
        /// Not encoded.
        var query: [(String, String)] = []
        var headers: [String] = []
    }

    /// Signs and sends a request, once; twice where the store says that the bucket is in another region.
    /// - Returns: an answer of 2xx, and of 304 none.
    /// - Throws: `PassingFailure`, or what `failure(_:_:)` makes of the answer.
    func send(
        _ request: Request, from source: ((UnsafeMutableRawBufferPointer) throws -> Int)? = nil,
        into sink: ((CurlHead, UnsafeRawBufferPointer) throws -> Void)? = nil
    ) throws -> HTTPChannel.Answer {
        let region = store.region.read { $0 }
        let url = settings.url(request.key.map(name), region: region, query: request.query)
        let signature = SignatureV4(
            keys: settings.keys, region: region, time: SignatureV4.time(LocalTime.now().epoch))
        let headers = signature.headers(method: request.method.name, url: url, request.headers)
        let answer = try channel.send(
            url, request.method,
            prepare: { transfer throws(CurlError) in
                try transfer.keepPathAsIs()
                try transfer.setCertificates(
                    authorityFile: settings.authorityFile, areChecked: settings.checksCertificates)
                try transfer.setHeaders(headers)
            }, from: source, into: sink)
        channel.contact.make()
        if (200..<300).contains(answer.head.status) { return answer }
        let refusal = S3Refusal(answer)
        if let elsewhere = refusal.region, elsewhere != region {
            store.region.withLock { $0 = elsewhere }
            throw PassingFailure(error: refusal.error(key: request.key, place: store.place), wanted: 0)
        }
        let error = refusal.error(key: request.key, place: store.place)
        throw refusal.passes ? PassingFailure(error: error, wanted: refusal.wantedPause) : error
    }

    /// The same until it is answered for good.
    func sendPatiently(_ request: Request) throws -> HTTPChannel.Answer {
        var retries = retries
        return try retries.run { try send(request) }
    }
}
