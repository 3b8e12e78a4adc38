// SPDX-License-Identifier: Apache-2.0

import Backup
import Glibc
import Postgres
import SystemIO
import Wording

/// Whether a scheduled backup is to be made now, and what became of the last one: the one answer for the service's own schedule, for
/// cron, and for what was missed.
///
/// A due time is dealt with once a good backup of this stack began after it. One that failed is tried again after an hour, one whose
/// process ended at once, four times in all; then the next due time counts. Several that were missed are one run.
package final class ScheduledRun: Sendable {
    package enum Decision: Sendable, Equatable {
        /// One is due, since then.
        case due(LocalTime)
        /// None is, before this time; `nil` for never.
        case notBefore(LocalTime?)
        /// Another process, or this one, is making it.
        case underWay
    }

    private static let retryAfter: Int64 = 3600
    private static let mostAttempts = 4

    private let expression: CronExpression
    private let wall: WallClock
    private let zone: String
    private let stack: String
    private let since: @Sendable (LocalTime) -> LocalTime
    private let isFolderBusy: @Sendable () -> Bool
    private let state: FilePath?
    private let log: Log
    /// What this process knows of its own runs, where nothing can be written.
    private let memory = Monitor<ScheduleRecord?>(nil)

    /// - Parameters:
    ///   - since: when the newest good backup of this stack began, as of a moment; before the first one, when the folder was first used.
    ///   - stack: which of those that use the folder; empty for the only one.
    ///   - isFolderBusy: whether somebody is at work there: a run of another container, whose processes cannot be seen from here, is
    ///     told from a dead one by its lock.
    ///   - state: the state folder; `nil` where nothing is written down.
    init(
        _ expression: CronExpression, on wall: WallClock = .local, zone: String = "", stack: String = "",
        in state: FilePath?, log: Log, isFolderBusy: @escaping @Sendable () -> Bool = { false },
        since: @escaping @Sendable (LocalTime) -> LocalTime
    ) {
        self.expression = expression
        self.wall = wall
        self.zone = zone
        self.stack = stack
        self.state = state
        self.log = log
        self.since = since
        self.isFolderBusy = isFolderBusy
    }

    /// - Parameter unknown: since when one may be missed where the folder does not say.
    package convenience init(
        _ expression: CronExpression, of operations: Operations, since unknown: LocalTime, log: Log
    ) {
        let due = BackupDue(operations)
        self.init(
            expression, zone: getenv("TZ").map { String(cString: $0) } ?? "",
            stack: Self.name(of: operations.stack), in: operations.folder.state, log: log,
            isFolderBusy: { operations.folder.isLocked },
            since: { due.reference(now: $0) ?? min(unknown, $0) })
    }

    /// Before anybody has asked the server: one that is reached by another name makes a backup more.
    static func name(of stack: LiveStack) -> String {
        "\(stack.database.address)/\(stack.database.name) \(stack.artifacts)"
    }

    private var name: String { zone.isEmpty ? expression.description : "\(expression) \(zone)" }

    /// What there is to do, without doing it.
    /// - Parameter delay: seconds for which a due time is left to somebody else.
    package func preview(now: LocalTime = .now(), delay: Int64 = 0) -> Decision {
        decide(LocalTime(epoch: now.epoch.subtracting(clamped: delay)), now, known(now))
    }

    /// The same, and notes that this process does it.
    package func begin(now: LocalTime = .now(), delay: Int64 = 0) -> Decision {
        // Who cannot be told apart from another for want of a lock makes one too many rather than none.
        let lock = takeLock()
        defer { withExtendedLifetime(lock) {} }
        let record = known(now)
        let decision = decide(LocalTime(epoch: now.epoch.subtracting(clamped: delay)), now, record)
        guard case .due(let due) = decision else { return decision }
        var attempt = 1
        if let record, record.outcome != .done, isOfSameDue(record, now) { attempt = record.attempt.adding(clamped: 1) }
        if attempt > 1 { log.info("the scheduled backup is tried again", ["due": due.iso, "attempt": attempt]) }
        let late = now.epoch.subtracting(clamped: due.epoch)
        if late > 90 { log.info("making up for a missed run", ["due": due.iso, "late_seconds": late]) }
        note(
            ScheduleRecord(
                schedule: name, begun: now.epoch, attempt: attempt, owner: .current(), outcome: .running))
        return decision
    }

    /// To be called when the run that `begin` gave has ended.
    /// - Parameter isDealtWith: whether no other is to be made for the same due time.
    package func end(isDealtWith: Bool) {
        let lock = takeLock()
        defer { withExtendedLifetime(lock) {} }
        guard var record = memory.read({ $0 }) else { return }
        record.outcome = isDealtWith ? .done : .failed
        note(record)
    }

    private func decide(_ moment: LocalTime, _ now: LocalTime, _ record: ScheduleRecord?) -> Decision {
        var reference = since(now)
        if let record {
            switch record.outcome {
            case .running where record.owner.isAlive: return .underWay
            case .running where !record.owner.hasEndedHere && isFolderBusy(): return .underWay
            case .done: reference = max(reference, LocalTime(epoch: record.begun))
            case .running, .failed:
                // A backup that somebody made since has dealt with it.
                guard isOfSameDue(record, now), reference.epoch < record.begun else { break }
                if record.attempt >= Self.mostAttempts {
                    reference = LocalTime(epoch: record.begun)
                } else if record.outcome == .failed {
                    let again = LocalTime(epoch: record.begun.adding(clamped: Self.retryAfter))
                    if again > now { return .notBefore(again) }
                }
            }
        }
        guard let due = expression.next(after: reference, on: wall) else { return .notBefore(nil) }
        return due <= moment ? .due(due) : .notBefore(due)
    }

    /// Whether no other due time has come since that run began.
    private func isOfSameDue(_ record: ScheduleRecord, _ now: LocalTime) -> Bool {
        guard let next = expression.next(after: LocalTime(epoch: record.begun), on: wall) else { return true }
        return next > now
    }

    /// The newest of what is written down and of what this process knows, if it is of this schedule and not of the future.
    private func known(_ now: LocalTime) -> ScheduleRecord? {
        let latest = now.epoch.adding(clamped: BackupDue.tolerance)
        let written = state.flatMap { ScheduleRecord.read(in: $0, of: stack) }
        return [memory.read { $0 }, written].compactMap { $0 }
            .filter { $0.schedule == name && $0.begun <= latest }
            // Of one run, which both are of, this process knows more, where it could not write that down: the first of equals.
            .max { $0.begun < $1.begun }
    }

    private func note(_ record: ScheduleRecord) {
        memory.withLock { $0 = record }
        guard let state else { return }
        do { try record.write(in: state, of: stack) } catch {
            log.warning("the scheduled run is not written down", ["reason": error.bilingual[.english]])
        }
    }

    private func takeLock() -> AdvisoryLock? {
        guard let state else { return nil }
        for _ in 0..<100 {
            do {
                if let lock = try AdvisoryLock.tryLock(state.appending("schedule.lock"), note: "schedule\n") {
                    return lock
                }
            } catch { return nil }
            _ = memory.wait(atMost: 0.05) { _ in nil as Void? }
        }
        return nil
    }
}
