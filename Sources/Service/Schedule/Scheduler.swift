// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Looks at the clock and begins what is due, on a thread of its own.
///
/// It looks at the wall clock at least twice a minute, so a clock that is set, a machine that slept and a changed
/// offset are all noticed.
package final class Scheduler: Sendable {
    /// Where the scheduler's idea of time comes from.
    package struct Clock: Sendable {
        let now: @Sendable () -> LocalTime
        /// Seconds after which the clock is looked at again.
        let longestWait: Double

        package init(now: @escaping @Sendable () -> LocalTime = { .now() }, longestWait: Double = 30) {
            self.now = now
            self.longestWait = longestWait
        }
    }

    private struct State {
        var isStopped = false
        var next: LocalTime?
    }

    private let state: Monitor<State>
    private let thread: WorkerThread

    /// Starts the thread.
    /// - Parameters:
    ///   - delay: seconds for which each due time is left to somebody else.
    ///   - start: gets the due time, and tells `run` when it has ended. It runs on the scheduler's thread: hand longer work to another
    ///     one.
    init(
        _ run: ScheduledRun, delay: Int64 = 0, clock: Clock = Clock(), heartbeat: Heartbeat = Heartbeat(),
        start: @escaping @Sendable (LocalTime) -> Void
    ) throws(SystemError) {
        let state = Monitor(State())
        self.state = state
        thread = try WorkerThread("schedule") {
            while !state.withLock({ $0.isStopped }) {
                heartbeat.beat()
                let now = clock.now()
                var wait = clock.longestWait
                switch run.begin(now: now, delay: delay) {
                case .due(let due): start(due)
                case .underWay: break
                case .notBefore(let next):
                    state.withLock { $0.next = next }
                    if let next {
                        let seconds = next.epoch.adding(clamped: delay).subtracting(clamped: now.epoch)
                        wait = min(wait, Double(max(1, seconds)))
                    }
                }
                _ = state.wait(atMost: wait) { $0.isStopped ? () : nil }
            }
            heartbeat.end()
        }
    }

    /// The next due time; `nil` before the first look at the clock and after `stop`.
    package var nextRun: LocalTime? { state.withLock { $0.isStopped ? nil : $0.next } }

    /// Ends the thread; a run that is being started is waited for. Not to be called from `start`.
    package func stop() {
        state.withLock { $0.isStopped = true }
        thread.join()
    }
}
