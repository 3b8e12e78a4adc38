// SPDX-License-Identifier: Apache-2.0

/// Several threads that do one kind of work, in any order, with a bounded queue before them.
package final class WorkCrew<Work: Sendable, Outcome: Sendable> {
    package typealias Body = (Work) throws -> Outcome?

    private struct State {
        var queue: [Work] = []
        var outcomes: [Outcome] = []
        var busy = 0
        var failure: (any Error)?
        var isClosed = false
    }

    private let state = Monitor(State())
    private let threads: [WorkerThread]
    private let limit: Int

    /// - Parameter makeBody: called once on each thread, so that a body may own buffers.
    package init(threads count: Int, name: String, makeBody: @escaping @Sendable () throws -> Body) throws {
        limit = 2 * count
        let state = state
        threads = try WorkerThread.start(count, named: name, orElse: { state.withLock { $0.isClosed = true } }) {
            do { Self.work(state, try makeBody()) } catch {
                state.withLock { if $0.failure == nil { $0.failure = error } }
            }
        }
    }

    deinit {
        state.withLock { $0.isClosed = true }
        threads.forEach { $0.join() }
    }

    /// Waits while the queue is full.
    /// - Returns: outcomes that came meanwhile.
    /// - Throws: the first error of any thread; nothing more is done after it.
    package func submit(_ work: Work) throws -> [Outcome] {
        try state.wait { state -> Result<[Outcome], any Error>? in
            if let failure = state.failure { return .failure(failure) }
            guard state.queue.count < self.limit else { return nil }
            state.queue.append(work)
            defer { state.outcomes = [] }
            return .success(state.outcomes)
        }.get()
    }

    /// Waits for outcomes.
    /// - Returns: at least one, unless nothing is under way.
    package func outcomes() throws -> [Outcome] {
        try state.wait { state -> Result<[Outcome], any Error>? in
            if let failure = state.failure { return .failure(failure) }
            guard !state.outcomes.isEmpty || state.queue.isEmpty && state.busy == 0 else { return nil }
            defer { state.outcomes = [] }
            return .success(state.outcomes)
        }.get()
    }

    /// Waits until everything is done.
    package func finish() throws -> [Outcome] {
        try state.wait { state -> Result<[Outcome], any Error>? in
            if let failure = state.failure { return .failure(failure) }
            guard state.queue.isEmpty, state.busy == 0 else { return nil }
            defer { state.outcomes = [] }
            return .success(state.outcomes)
        }.get()
    }

    private static func work(_ state: Monitor<State>, _ body: Body) {
        while true {
            let work = state.wait { state -> Work?? in
                if state.isClosed || state.failure != nil { return .some(nil) }
                guard !state.queue.isEmpty else { return nil }
                state.busy += 1
                return state.queue.removeFirst()
            }
            guard let work else { return }
            do {
                let outcome = try body(work)
                state.withLock {
                    $0.busy -= 1
                    if let outcome { $0.outcomes.append(outcome) }
                }
            } catch {
                state.withLock {
                    $0.busy -= 1
                    if $0.failure == nil { $0.failure = error }
                }
            }
        }
    }
}
