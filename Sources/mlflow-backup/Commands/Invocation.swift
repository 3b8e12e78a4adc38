// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

/// One run of the program: its arguments, settings and terminal.
struct Invocation: Sendable {
    let arguments: ParsedArguments
    let settings: Settings
    let console: Console

    /// Commands answer on standard output and keep their log quiet, except that syslog gets it.
    var operations: Operations { settings.operations(log: log) }

    /// Runs an operation that leaves no record: who is asked to end it, ends it in order.
    func endingInOrder<Result>(_ workspace: Workspace, _ body: (Workspace) throws -> Result) throws -> Result {
        let cancellation = Cancellation()
        // Before any other thread starts: a thread with these signals open would end the process instead.
        let signals = try SignalWatch([.interrupt, .terminate, .hangUp]) { _ in cancellation.cancel() }
        defer { signals.stop() }
        var workspace = workspace
        workspace.cancellation = cancellation
        return try body(workspace)
    }

    var log: Log { Log(format: settings.logFormat, syslog: settings.logToSyslog, descriptor: logDescriptor) }

    /// A person at a terminal reads messages; cron and containers read the log.
    private var logDescriptor: Int32 {
        console.drawsProgress || arguments.has("json") || arguments.has("quiet") ? -1 : 2
    }
}

/// What a command does, beside what it takes.
protocol Command: SendableMetatype {
    static var definition: CommandDefinition { get }
    /// - Returns: the exit code.
    static func run(_ invocation: Invocation) throws -> ExitCode
}
