// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Calls a closure at each due time of a cron expression, on a thread of its own.
///
/// It looks at the wall clock at least twice a minute, so a clock that is set, a machine that slept and a changed
/// offset are all noticed. Due times that passed unseen make one run, not many.
public final class Scheduler: Sendable {
    /// Where the scheduler's idea of time comes from.
    public struct Clock: Sendable {
        let now: @Sendable () -> LocalTime
        let wall: WallClock
        /// Seconds after which the clock is looked at again.
        let longestWait: Double

        public init(
            now: @escaping @Sendable () -> LocalTime = { .now() }, wall: WallClock = .local, longestWait: Double = 30
        ) {
            self.now = now
            self.wall = wall
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
    ///   - lastRun: when the last good backup began, asked once at start. A due time since then is made up for at
    ///     once; `nil` (no backup yet) waits for the first due time.
    ///   - run: gets the due time. It runs on the scheduler's thread: hand longer work to another one.
    public init(
        _ expression: CronExpression, clock: Clock = Clock(), log: Log,
        lastRun: @escaping @Sendable () -> LocalTime?, run: @escaping @Sendable (LocalTime) -> Void
    ) throws(SystemError) {
        let state = Monitor(State())
        self.state = state
        thread = try WorkerThread("schedule") {
            Self.loop(expression, clock, log, state, lastRun, run)
        }
    }

    /// The next due time; `nil` before the first look at the clock and after `stop`.
    public var nextRun: LocalTime? { state.withLock { $0.isStopped ? nil : $0.next } }

    /// Ends the thread; a run that is under way is waited for. Not to be called from `run`.
    public func stop() {
        state.withLock { $0.isStopped = true }
        thread.join()
    }

    private static func loop(
        _ expression: CronExpression, _ clock: Clock, _ log: Log, _ state: Monitor<State>,
        _ lastRun: @Sendable () -> LocalTime?, _ run: @Sendable (LocalTime) -> Void
    ) {
        // Every due time up to and including this moment is dealt with.
        var handled = clock.now()
        if let last = lastRun(), last < handled { handled = last }
        while !state.withLock({ $0.isStopped }) {
            let now = clock.now()
            if now.epoch < handled.epoch.subtracting(clamped: largeStep) {
                log.warning("clock was set back: due times are counted anew", ["from": handled.iso, "to": now.iso])
                handled = now
            }
            let due = expression.next(after: handled, on: clock.wall)
            if let due, due <= now {
                let late = now.epoch.subtracting(clamped: due.epoch)
                if late > 90 { log.info("making up for a missed run", ["due": due.iso, "late_seconds": late]) }
                handled = now
                run(due)
                continue
            }
            state.withLock { $0.next = due }
            let wait = min(clock.longestWait, Double(max(1, (due?.epoch ?? .max).subtracting(clamped: now.epoch))))
            _ = state.wait(atMost: wait) { $0.isStopped ? () : nil }
        }
    }

    /// As in Debian's cron: a clock set back by less than three hours must not repeat runs, one set back by more was
    /// wrong before. Seconds.
    private static let largeStep: Int64 = 3 * 3600
}
