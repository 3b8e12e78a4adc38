// SPDX-License-Identifier: Apache-2.0

import Curl
import SystemIO
import Wording

/// Any store that rclone knows, through one daemon.
package struct RcloneStore: RemoteStore {
    package let place: String
    let daemon: RcloneDaemon
    let patience: RequestPatience
    package let cancellation: Cancellation
    let contact = FirstContact()
    let known = Monitor<RcloneAbilities?>(nil)

    /// - Parameters:
    ///   - place: for people, without credentials.
    ///   - patience: the daemon's own.
    package init(
        _ daemon: RcloneDaemon, place: String, patience: RequestPatience = RequestPatience(),
        cancellation: Cancellation = Cancellation()
    ) {
        (self.daemon, self.place, self.patience, self.cancellation) = (daemon, place, patience, cancellation)
    }

    package func connect(_ cancellation: Cancellation) throws -> any StoreConnection { try connection(cancellation) }
    package func list() throws -> any ObjectListing {
        let connection = try connection(cancellation)
        return RcloneListing(connection, try connection.abilities)
    }

    package func topNames(atMost limit: Int) throws -> Set<[UInt8]> { Set(try looking().names(in: [])) }

    package func holdsAnything(below folder: ObjectKey) throws -> Bool {
        try !looking().names(in: folder.bytes + [UInt8(ascii: "/")]).isEmpty
    }

    private func looking() throws -> RcloneListing {
        let connection = try connection(cancellation)
        return RcloneListing(connection, try connection.abilities)
    }

    func connection(_ cancellation: Cancellation) throws -> RcloneConnection {
        RcloneConnection(self, try HTTPChannel(place, patience, contact, cancellation))
    }
}

/// Requests to one daemon, from one thread.
final class RcloneConnection {
    let store: RcloneStore
    let channel: HTTPChannel
    static let root = RcloneDaemon.rootName + ":"
    private static let abilitiesCall = "operations/fsinfo"

    init(_ store: RcloneStore, _ channel: HTTPChannel) { (self.store, self.channel) = (store, channel) }

    var abilities: RcloneAbilities {
        get throws {
            if let known = store.known.read({ $0 }) { return known }
            let answer = try call(Self.abilitiesCall, ["fs": Self.root])
            let abilities = try RcloneCall.decoded(RcloneAbilities.self, answer, place: store.place)
            store.known.withLock { $0 = abilities }
            return abilities
        }
    }

    /// A call that is answered at its end.
    /// - Parameter key: what it is about.
    func call(_ name: String, _ input: [String: Any], key: ObjectKey? = nil) throws -> [UInt8] {
        let body = try RcloneCall.encoded(input)
        var retries = channel.retries
        return try retries.run {
            try send(name, .post(body), headers: ["Content-Type: application/json", "Expect:"], key: key).body
        }
    }

    /// One request. rclone itself gives up on a store that says nothing (`--timeout`).
    func send(
        _ path: String, _ method: CurlTransfer.Method, headers: [String], key: ObjectKey?,
        into sink: ((CurlHead, UnsafeRawBufferPointer) throws -> Void)? = nil
    ) throws -> HTTPChannel.Answer {
        let life = try store.daemon.life()
        let answer: HTTPChannel.Answer
        do {
            answer = try channel.send(
                "http://rclone/" + path, method, stalls: false,
                prepare: { transfer throws(CurlError) in
                    try transfer.keepPathAsIs()
                    try transfer.setUnixSocket(store.daemon.socket.string)
                    try transfer.setHeaders(headers)
                }, into: sink)
        } catch let failure as PassingFailure {
            // Between the broken line and the end of the process lies a moment.
            if life.isOver(within: 2) {
                throw PassingFailure(error: .rcloneDied(reason: life.reasonOfDeath ?? ""), wanted: 0)
            }
            throw failure
        }
        if (200..<300).contains(answer.head.status) {
            // That rclone answers says nothing of the store; what it knows of the store itself it may say without asking.
            if path != Self.abilitiesCall { store.contact.make() }
            return answer
        }
        let refusal = RcloneRefusal(status: answer.head.status, words: RcloneCall.error(answer.body))
        let error = refusal.error(key: key, place: store.place, stall: channel.patience.stall)
        throw refusal.passes ? PassingFailure(error: error) : error
    }

    /// A key as rclone names it. A path that is none, or no text, it has no name for.
    func name(_ key: ObjectKey) throws(ObjectStoreError) -> String {
        let parts = key.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPath = parts.allSatisfy { !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
        guard isPath, !key.bytes.contains(0), let name = String(validating: key.bytes, as: UTF8.self) else {
            throw .keyNotExpressible(key: key)
        }
        return name
    }
}
