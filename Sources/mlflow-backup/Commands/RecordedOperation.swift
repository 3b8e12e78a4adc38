// SPDX-License-Identifier: Apache-2.0

import Archive
import Backup
import Service
import SystemIO
import Wording

/// An operation from the command line, recorded like a task of the service, which need not run.
struct RecordedOperation {
    private let invocation: Invocation
    private let readRate: ReadRate?
    /// How long to wait for another task.
    private let waitSeconds: Double
    /// Whether cron asks for it.
    private let isScheduled: Bool

    /// - Throws: `UsageError`. Nothing is recorded of a command that was not understood.
    init(_ invocation: Invocation, readRate: ReadRate? = nil, isScheduled: Bool = false) throws(UsageError) {
        self.isScheduled = isScheduled
        self.invocation = invocation
        self.readRate = readRate
        waitSeconds = try invocation.arguments.waitSeconds
    }

    func run(_ request: OperationRequest, email: MailAddress? = nil) throws -> ExitCode {
        let result = try perform(request, email: email)
        report(result)
        return result.isSuspicious ? .suspicious : result.isPartial ? .partial : .success
    }

    /// - Returns: what is to be reported.
    func perform(_ request: OperationRequest, email: MailAddress? = nil) throws -> OperationResult {
        // Before any other thread starts: a thread with these signals open would end the process instead.
        let cancellation = TaskCancellation()
        let signals = try SignalWatch([.interrupt, .terminate, .hangUp]) { sender in
            cancellation.cancel(sender == .ours ? .requested : .interrupted)
        }
        defer { signals.stop() }
        var operations = invocation.operations
        operations.readRate = readRate
        let log = invocation.log
        let state = operations.folder.writeProtection == nil ? operations.folder.state : nil
        let notices = try NoticeDispatcher(
            mailer: invocation.settings.mail.map { Mailer($0) }, policy: NoticePolicy(invocation.settings),
            outbox: state.map { Outbox(in: $0) },
            told: ToldFailures(in: state, of: operations.stack, log: log), log: log)
        let pings = try invocation.settings.ping.map { try Pings($0, in: state, log: log) }
        defer {
            // A person waits: one try, and a running service goes on with what was not taken.
            pings?.flush(atMost: 15)
            pings?.stop()
            notices.flush(atMost: 120)
            notices.stop()
        }
        do { try operations.prepareFolder(for: request) } catch {
            // Whoever waits for its mail, or watches from outside, hears of what nobody at a terminal may see.
            TaskExecution(
                operations, tasks: TaskBook(in: nil, log: log), notices: notices, pings: pings,
                isScheduled: isScheduled, log: log
            ).refuse(request, requested: email, because: error)
            throw error
        }
        let tasks = Self.openTasks(operations.folder, log)
        // What could not be written while a disk was full may be by its end.
        defer { tasks.close() }
        let record = try begin(request, in: tasks, email, log)
        operations.settled = { tasks.note($0) }
        let bar = ProgressBar(invocation.console)
        let isQuiet = invocation.arguments.has("json") || invocation.arguments.has("quiet")
        defer { bar.finish() }
        let result = try TaskExecution(
            operations, tasks: tasks, notices: notices, pings: pings, isScheduled: isScheduled, log: log
        ).run(
            record, request, requested: email, waitSeconds: waitSeconds, cancellation: cancellation
        ) { step in if !isQuiet { bar.show(step) } }
        return result
    }

    /// No operation fails for records that cannot be kept.
    static func openTasks(_ folder: BackupFolder, _ log: Log) -> TaskBook {
        TaskBook(in: folder.writeProtection == nil ? folder.state : nil, log: log)
    }

    private func begin(
        _ request: OperationRequest, in tasks: TaskBook, _ email: MailAddress?, _ log: Log
    ) throws -> TaskRecord {
        do {
            // Where no service runs nobody else tells of commands that were killed.
            try tasks.failOrphans(
                keepingRestores: RecoverJob(invocation.operations.workspace).isNeeded, seenFromHere: true)
        } catch {
            log.warning("tasks of commands that were killed stay as they are", ["reason": "\(error)"])
        }
        return try tasks.begin(request, origin: .cli, email: email)
    }

    func report(_ result: OperationResult) {
        let console = invocation.console
        if invocation.arguments.has("json") {
            console.answer(JSONText.of(ResultRepresentation(result, console.language)))
        } else if !invocation.arguments.has("quiet") {
            console.answer(result.output)
        }
    }
}
