// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import SystemIO

/// What a route may have to wait for. Requests that wait for a slow one keep a thread each, and no other request from being
/// answered, as long as there are not too many of them.
enum Resource: CaseIterable, Sendable {
    case taskRecords
    case backupFolder
    case database

    /// Requests that use it at once.
    fileprivate var places: Int { self == .database ? 2 : 4 }
    /// Seconds that one waits for a place.
    fileprivate var patience: Double { self == .taskRecords ? 2 : 5 }
}

/// Lets so many requests at a resource as it can serve, and none that nobody waits for any more.
final class Gate: Sendable {
    private struct State {
        var free: Int
        var waiting = 0
    }

    /// More would only wake each other, and be as late.
    private static let mostWaiting = 64

    private let state: Monitor<State>
    private let patience: Double

    init(places: Int, patience: Double) {
        state = Monitor(State(free: places))
        self.patience = patience
    }

    convenience init(_ resource: Resource) { self.init(places: resource.places, patience: resource.patience) }

    /// - Throws: `RequestError.tooBusy` where no place becomes free in time, `.clientLeft` where the client has gone meanwhile; and
    ///   what `body` throws.
    func pass<Result>(_ request: HTTPRequest, _ body: () throws -> Result) throws -> Result {
        let mayWait = state.withLock { state in
            guard state.waiting < Self.mostWaiting else { return false }
            state.waiting += 1
            return true
        }
        guard mayWait else { throw RequestError.tooBusy }
        let entered: Void? = state.wait(atMost: patience) { state in
            guard state.free > 0 else { return nil }
            state.free -= 1
            return ()
        }
        state.withLock { $0.waiting -= 1 }
        guard entered != nil else { throw RequestError.tooBusy }
        defer { state.withLock { $0.free += 1 } }
        if request.isAbandoned() { throw RequestError.clientLeft }
        return try body()
    }
}
