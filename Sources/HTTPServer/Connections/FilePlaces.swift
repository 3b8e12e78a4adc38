// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// So many files are sent at once, and as many requests wait a moment for one of them to end: a slow client gives way then.
final class FilePlaces: Sendable {
    private struct State {
        var taken = 0
        var waiting = 0
    }

    private let limit: Int
    private let patience: Double
    private let state = Monitor(State())

    init(_ limit: Int, patience: Double) {
        self.limit = limit
        self.patience = patience
    }

    /// Whether somebody waits.
    var isWanted: Bool { state.read { $0.waiting > 0 && $0.taken >= limit } }

    /// - Returns: `false` where none became free in time, or too many wait already.
    func take() -> Bool {
        let mayWait = state.withLock { state in
            guard state.waiting < limit else { return false }
            state.waiting += 1
            return true
        }
        guard mayWait else { return false }
        let taken: Void? = state.wait(atMost: patience) { state in
            guard state.taken < limit else { return nil }
            state.taken += 1
            return ()
        }
        state.withLock { $0.waiting -= 1 }
        return taken != nil
    }

    func giveBack() { state.withLock { $0.taken -= 1 } }
}
