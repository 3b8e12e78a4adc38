// SPDX-License-Identifier: Apache-2.0

import Backup
import Glibc
import Postgres
import SystemIO
import Wording

/// Everything the service does, without a word of HTTP: the API and the command line are two ways to ask for it.
package final class StackService: Sendable {
    package let settings: Settings
    package let operations: Operations
    package let tasks: TaskBook
    package let log: Log
    /// What was last seen of all this; to be asked by whatever is asked often.
    package let status: StackStatus
    private let health: HealthCheck
    private let notices: NoticeDispatcher
    private let pings: Pings?
    private let alarms: AlarmWatch
    private let runner: TaskRunner
    private let scheduler: Monitor<Scheduler?>
    /// Settles what processes leave while the service runs, as a command that was killed, and tries again what could not be settled at
    /// start, as when PostgreSQL comes back later than the service: a `stat` and a SELECT each time where nothing is to be done.
    private let recovery = RepeatedWork("recovery", every: 10)
    private let heartbeat: Heartbeat
    /// Whether restores of dead processes are open in the records until they are settled.
    private let restoresWait: Monitor<Bool>
    /// Why records were left open at the last look: that is said once.
    private let complaint = Monitor<String?>(nil)

    /// Opens the records, settles what an earlier process left, and starts the task thread.
    /// - Throws: `BackupError.folderNotUsable` and what the task store throws. A database that is down is no reason
    ///   not to start: `/health` says so.
    package init(_ settings: Settings, log: Log) throws {
        self.settings = settings
        self.log = log
        var operations = settings.operations(log: log)
        try operations.workspace.prepareFolder()
        // From a folder that nobody can write to a service lists, verifies and restores.
        let protection = operations.folder.writeProtection
        if let protection {
            log.warning(
                "the backup folder can only be read: no backups are made, and task records are not kept",
                ["reason": protection.reason[.english]])
        }
        let folder = operations.folder
        let tasks = TaskBook(in: folder.state, mayOpen: { folder.writeProtection == nil }, log: log)
        operations.settled = { tasks.note($0) }
        self.operations = operations
        self.tasks = tasks
        // A restore that is not settled has not failed yet.
        var isWaiting = true
        do {
            try tasks.failOrphans(keepingRestores: RecoverJob(operations.workspace).isNeeded)
            isWaiting = try tasks.hasOrphans()
        } catch {
            // A store that cannot be written now is tried again by `settleOrphans`.
            log.error("task records of a dead process are left open", ["reason": error.bilingual[.english]])
        }
        restoresWait = Monitor(isWaiting)
        let notices = try NoticeDispatcher(
            mailer: settings.mail.map { Mailer($0) }, policy: NoticePolicy(settings),
            outbox: Outbox(in: folder.state), told: ToldFailures(in: folder.state, of: operations.stack, log: log),
            empties: true, log: log)
        let pings = try settings.ping.map {
            try Pings($0, in: folder.state, adopts: true, log: log)
        }
        let heartbeat = Heartbeat()
        (self.notices, self.pings, self.heartbeat) = (notices, pings, heartbeat)
        health = HealthCheck(
            settings: settings, operations: operations, tasks: tasks,
            others: [
                ("notices", { settings.mailFinding ?? notices.trouble.map(HealthCheck.untold) }),
                ("ping", { pings?.trouble }),
                ("scheduler", { heartbeat.finding }),
            ])
        status = try StackStatus(operations.catalogue, tasks, health)
        alarms = AlarmWatch(in: folder.state, notices: notices, log: log)
        runner = try TaskRunner(
            TaskExecution(
                operations, tasks: tasks, notices: notices, pings: pings, log: log,
                changed: { [status] in status.folderChanged() }),
            tasks: tasks)
        scheduler = Monitor(nil)
    }

    /// What is done once at start: an interrupted restore is settled, tools are checked, the schedule begins.
    package func start() throws {
        settleOrphans()
        for finding in health.run().findings { log.warning("health", ["finding": finding[.english]]) }
        try recovery.start { [self] in settleOrphans(isFirst: false) }
        try alarms.start { [status] in status.faults() }
        guard let expression = settings.schedule else { return log.info("no schedule: BACKUP_SCHEDULE is off") }
        let isCron = settings.scheduler == .cron
        if isCron { log.info("scheduled backups are started by cron, and what cron does not start by this service") }
        let run = ScheduledRun(expression, of: operations, since: .now(), log: log)
        let started = try Scheduler(run, delay: isCron ? Self.cronsHeadStart : 0, heartbeat: heartbeat) { [self] _ in
            do { try submitScheduled { run.end(isDealtWith: $0) } } catch ServiceError.stopping {
                // The next service begins with it.
            } catch {
                run.end(isDealtWith: false)
                log.error("scheduled backup not started", ["reason": error.bilingual[.english]])
            }
        }
        scheduler.withLock { $0 = started }
    }

    /// Becomes a task even when it is bound to fail: the failure is then told to somebody.
    @discardableResult
    func submitScheduled(ended: @escaping TaskRunner.Ended = { _ in }) throws -> TaskRecord {
        let record = try runner.submit(backupRequest(), origin: .schedule, email: nil, ended: ended)
        log.info("task accepted", ["task": record.id, "origin": TaskRecord.Origin.schedule.rawValue])
        return record
    }

    /// Seconds for which a due time is cron's.
    private static let cronsHeadStart: Int64 = 60

    /// - Parameter graceSeconds: how long a running task may go on.
    package func stop(graceSeconds: Double) {
        // First of all, since the others may wait for a disk that hangs: a running task is told.
        runner.stop(graceSeconds: graceSeconds)
        alarms.stop()
        recovery.stop()
        scheduler.withLock { $0.take() }?.stop()
        pings?.flush(atMost: 5)
        pings?.stop()
        notices.flush(atMost: 10)
        notices.stop()
        // When nothing changes a record any more: notices were the last.
        tasks.close()
        status.stop()
    }

    package func backupRequest(compress: Bool? = nil) -> OperationRequest {
        .backup(compress ?? settings.compress ? .compressed : .uncompressed, settings.retention)
    }

    /// Refuses at once what is bound to fail, and queues the rest.
    package func submit(
        _ request: OperationRequest, origin: TaskRecord.Origin, email: MailAddress?
    ) throws -> TaskRecord {
        try runner.refuseRepetition(of: request)
        let request = try preflight(request)
        let record = try runner.submit(request, origin: origin, email: email)
        log.info("task accepted", ["task": record.id, "origin": origin.rawValue])
        return record
    }

    /// For a moment of its swap a restore leaves the database without its name, and ends the sessions that look at it. What waits for its
    /// turn looks again then.
    private func preflight(_ request: OperationRequest) throws -> OperationRequest {
        do { return try operations.preflight(request) } catch let error as PostgresError where error.isOfSwap {
            if try tasks.list(.running).contains(where: { $0.kind == .restore || $0.kind == .undo }) { return request }
            // It may have ended in this moment.
            return try operations.preflight(request)
        }
    }

    package func task(_ id: String) throws -> TaskRecord {
        guard let record = try tasks.get(id) else {
            throw ServiceError.noSuchTask(
                String(id.unicodeScalars.filter { $0.value >= 0x20 }.prefix(80).map(Character.init)))
        }
        return record
    }

    /// Ends a task before its time: one that waits at once, one that runs at its next step.
    ///
    /// What is past the point where it can be undone, as a restore in its swap, goes on to its end.
    /// - Returns: the record as it is now.
    /// - Throws: `ServiceError.noSuchTask`, `.alreadyEnded`, `.ownedElsewhere`.
    package func cancel(_ id: String) throws -> TaskRecord {
        let record = try task(id)
        guard !record.status.isFinished else { throw ServiceError.alreadyEnded(task: record.id) }
        if runner.cancel(record.id) {
            log.info("task is to be cancelled", ["task": record.id])
            return try task(id)
        }
        // Between the two looks it may have ended; and what a dead process left will not come to an end by itself.
        if record.owner.hasEndedHere {
            try tasks.failOrphans(keepingRestores: RecoverJob(operations.workspace).isNeeded, seenFromHere: true)
        }
        guard try !task(id).status.isFinished, record.owner.isAlive, record.owner != .current() else {
            throw ServiceError.alreadyEnded(task: record.id)
        }
        // A command does one thing and ends in good order on SIGTERM; a service would end with all its tasks.
        guard record.origin == .cli, SignalWatch.askToEnd(record.owner.pid) else {
            throw ServiceError.ownedElsewhere(task: record.id, process: record.owner.pid)
        }
        log.info("task is to be cancelled, its process was told", ["task": record.id, "pid": record.owner.pid])
        return try task(id)
    }

    /// - Returns: what a person should know of it, a sentence each.
    /// - Throws: `BackupError.noSuchBackup`, `.inUse`, `.busy`.
    package func delete(_ name: String) throws -> [BilingualText] {
        let item = try operations.catalogue.item(named: name)
        if let task = try runner.taskUsing(item.name.string) {
            throw BackupError.inUse(name: item.name.string, by: task)
        }
        var workspace = operations.workspace
        workspace.waitSeconds = 5
        defer { status.folderChanged() }
        return try DeleteJob(workspace).run(item.name.string)
    }

    /// Takes a backup for right, and for the measure of those after it.
    /// - Returns: what is so now, as a sentence.
    /// - Throws: `BackupError.noSuchBackup`, `.markedCorrupt`, `.nothingToAccept`, `.busy`.
    package func accept(_ name: String) throws -> BilingualText {
        var workspace = operations.workspace
        workspace.waitSeconds = 5
        defer { status.folderChanged() }
        return AcceptedText.of(try AcceptJob(workspace).run(name))
    }

    /// Drops records of tasks that ended more than 24 hours ago.
    package func cleanUp() throws -> Int {
        let removed = try tasks.removeFinished(olderThan: 24 * 3600)
        log.info("task records cleaned up", ["removed": removed])
        return removed
    }

    func newestGoodBackup() -> CatalogueItem? {
        do { return try operations.catalogue.newestGood() } catch {
            log.error("the backup folder cannot be listed", ["reason": error.bilingual[.english]])
            return nil
        }
    }

    /// What processes left that have ended: an interrupted restore, and the records of their tasks.
    func settleOrphans(isFirst: Bool = true) {
        prepareLostState()
        tasks.heal()
        let isSettled = settleInterruptedRestore(isFirst)
        do {
            // What no recovery had a word on was killed before there was anything to recover, or settled by a process that
            // could not write it down.
            let isFromBefore = isSettled && restoresWait.withLock { $0 }
            try tasks.failOrphans(keepingRestores: !isSettled, seenFromHere: !isFromBefore)
            if isFromBefore { restoresWait.withLock { $0 = false } }
            complaint.withLock { $0 = nil }
        } catch {
            let reason = error.bilingual[.english]
            let isNews = complaint.withLock { known in
                defer { known = reason }
                return known != reason
            }
            if isNews { log.error("task records of a dead process are left open", ["reason": reason]) }
        }
    }

    /// Somebody took our folder out of the backup folder: it is made anew, where the rest is what it was. A folder that is away, or another
    /// one, is a finding of its own, and nothing is made in its place.
    private func prepareLostState() {
        let folder = operations.folder
        do {
            guard try FileStatus.ifPresent(folder.path) != nil, try FileStatus.ifPresent(folder.state) == nil else {
                return
            }
            try operations.workspace.prepareFolder()
            log.warning("the state folder was gone, and is made anew", ["path": folder.state])
        } catch { return }
    }

    /// - Returns: whether no restore waits to be settled.
    private func settleInterruptedRestore(_ isFirst: Bool) -> Bool {
        guard RecoverJob(operations.workspace).isNeeded else { return true }
        // Asked anew: Docker may have become reachable since the service started.
        var workspace = operations.workspace(on: settings.liveStack)
        workspace.waitSeconds = 0
        do {
            _ = try RecoverJob(workspace).run()
            return true
        } catch BackupError.busy(let holder) {
            // A restore at work has its journal: that is said once, not at each look.
            if isFirst { log.info("another process is at work, which settles it itself", ["holder": holder]) }
        } catch {
            log.error("an interrupted restore could not be settled", ["reason": error.bilingual[.english]])
        }
        return false
    }
}

extension PostgresError {
    /// Whether a swap that is under way looks so from outside.
    fileprivate var isOfSwap: Bool {
        switch self {
        case .databaseMissing, .connectionLost: true
        default: false
        }
    }
}
