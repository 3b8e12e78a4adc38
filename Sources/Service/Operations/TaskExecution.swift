// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO
import Wording

/// Runs one operation as a recorded task: state, progress, result, notice. The service and the command line share it.
package struct TaskExecution: Sendable {
    private let operations: Operations
    private let tasks: TaskBook
    private let notices: NoticeDispatcher
    private let pings: Pings?
    private let isScheduled: Bool
    private let log: Log
    private let changed: @Sendable () -> Void

    /// - Parameters:
    ///   - isScheduled: whether nobody but a schedule asks for what is run, whatever its record says: as cron's command.
    ///   - changed: called when an operation has ended, before its record says so: whoever has read that finds what it made.
    package init(
        _ operations: Operations, tasks: TaskBook, notices: NoticeDispatcher, pings: Pings? = nil,
        isScheduled: Bool = false, log: Log,
        changed: @escaping @Sendable () -> Void = {}
    ) {
        self.changed = changed
        self.operations = operations
        self.tasks = tasks
        self.notices = notices
        self.pings = pings
        self.isScheduled = isScheduled
        self.log = log
    }

    /// - Parameter progress: gets every step; the record gets a few a second.
    /// - Throws: what the operation threw, or `TaskCancelled`, after the task was marked failed and the notice was handed over.
    package func run(
        _ record: TaskRecord, _ request: OperationRequest, requested: MailAddress?, waitSeconds: Double,
        cancellation: TaskCancellation, progress: @escaping ProgressSink
    ) throws -> OperationResult {
        let started = LocalTime.now()
        // Of a verification or a restore that failed it is no use to hear that backups are made.
        let pings = record.kind == .backup ? pings : nil
        pings?.begun()
        note(record.id) {
            $0.status = .running
            $0.startedAt = started
            $0.message = request.running
        }
        let throttle = Monitor<UInt64>(0)
        let made = Monitor<[String]>([])
        do {
            let result = try operations.perform(
                request, task: record.id, waitSeconds: waitSeconds, cancellation: cancellation.flag,
                published: { name in made.withLock { $0.append(name.string) } }
            ) { step in
                progress(step)
                let isDue = throttle.withLock { last in
                    let now = MonotonicTime.nanoseconds()
                    guard now - last > 500_000_000 else { return false }
                    last = now
                    return true
                }
                if isDue { note(record.id) { $0.progress = .init(step) } }
            }
            changed()
            note(record.id) { record in
                record.status = .completed
                record.message = result.message
                // Who did not see this process may have thought that it had ended.
                record.failure = nil
                record.output = result.output
                record.backupName = result.backupName
                record.backupDirectory = operations.folder.path.string
                record.warningCount = result.warnings.count
                record.completedAt = .now()
                record.progress = nil
            }
            notify(record, request, started, requested, result)
            pings?.ended(well: !result.isSuspicious && !result.isPartial, result.output[.english])
            return result
        } catch {
            let isCancelled = error is CancelledError
            let reason = isCancelled ? cancellation.reason.text(record.kind, made.withLock { $0 }) : error.bilingual
            let message = isCancelled ? request.cancelled(reason) : request.failed(reason)
            changed()
            log.error("task failed", ["task": record.id, "reason": reason[.english]])
            note(record.id) { record in
                record.status = .failed
                record.message = message
                record.failure = .init(code: error.stableCode, findings: error.codedFindings)
                record.completedAt = .now()
                record.progress = nil
            }
            let isPersons = isCancelled && cancellation.reason == .requested
            notify(
                record, request, started, requested,
                failure: isPersons ? .cancelled(reason) : .failed(reason, code: error.stableCode))
            pings?.ended(well: false, reason[.english])
            throw isCancelled ? TaskCancelled(cancellation.reason, message) : error
        }
    }

    /// Tells of an operation that could not even begin, of which there is no record.
    package func refuse(_ request: OperationRequest, requested: MailAddress?, because error: any Error) {
        let record = TaskRecord(unrecorded: request, origin: .cli)
        log.error("task not begun", ["task": record.id, "reason": error.bilingual[.english]])
        notify(record, request, .now(), requested, failure: .failed(error.bilingual, code: error.stableCode))
        if record.kind == .backup { pings?.ended(well: false, error.bilingual[.english]) }
    }

    /// Marks a task that a person cancelled before its turn, and tells who asked for a mail. It never began, so no monitor waits for its end.
    func cancel(_ record: TaskRecord, _ request: OperationRequest, requested: MailAddress?) {
        let reason = TaskCancellation.Reason.requested.text(record.kind)
        abandon(record, because: request.cancelled(reason), code: "cancelled")
        notify(record, request, .now(), requested, failure: .cancelled(reason))
    }

    /// Marks a task that never ran.
    func abandon(_ record: TaskRecord, because reason: BilingualText, code: String) {
        note(record.id) { record in
            record.status = .failed
            record.message = reason
            record.failure = .init(code: code)
            record.completedAt = .now()
        }
    }

    private func notify(
        _ record: TaskRecord, _ request: OperationRequest, _ started: LocalTime, _ requested: MailAddress?,
        _ result: OperationResult? = nil, failure: NoticeEvent.Outcome? = nil
    ) {
        var event = NoticeEvent(
            taskID: record.id, kind: record.kind, outcome: failure ?? .succeeded,
            startedAt: started, finishedAt: .now(), backupName: result?.backupName ?? request.backupName,
            sizeBytes: result?.size, warnings: result?.warnings ?? [],
            isScheduled: isScheduled || record.origin == .schedule)
        event.isPartial = result?.isPartial ?? false
        notices.notify(event, requested: requested) { text in
            note(record.id) { $0.notice = text }
        }
    }

    /// A record that cannot be written is logged; the operation itself goes on.
    private func note(_ id: String, _ change: (inout TaskRecord) -> Void) {
        do { try tasks.update(id, change) } catch {
            log.error("task record not written", ["task": id, "reason": "\(error)"])
        }
    }
}

extension TaskRecord.Progress {
    fileprivate init(_ step: Backup.Progress) {
        let detail = step.detail.isEmpty ? "" : " (\(step.detail))"
        self.init(phase: step.phase.text + BilingualText(zh: detail, en: detail), fraction: step.fraction)
    }
}
