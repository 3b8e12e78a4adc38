// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

/// The release binary, run as a person runs it; under a fault where one is given.
struct Program: Sendable {
    let environment: [String: String]

    struct Ended {
        let exit: ChildProcess.Exit
        let output: String
        let errors: String
        /// Whether the step was reached at which the fault lay in wait.
        let hit: Bool

        var succeeded: Bool { exit == .code(0) }
        /// The end of what it said, on one line, for a report.
        var saying: String {
            let lines = (errors + output).split(separator: "\n").suffix(2).joined(separator: " | ")
            return "\(exit): \(lines.suffix(300))"
        }
    }

    static func path() throws -> FilePath {
        let variable = ProcessInfo.processInfo.environment["MLFLOW_BACKUP_BINARY"] ?? ""
        try #require(!variable.isEmpty, "MLFLOW_BACKUP_BINARY is not set: run scripts/test")
        return FilePath(variable)
    }

    /// Whether the binary has a command, or a command an option: what is not built yet cannot be tried.
    static func offers(_ command: String, _ option: String = "") throws -> Bool {
        let help = try ChildProcess(try path(), [command, "--help"], environment: ["LC_ALL": "C.UTF-8"]).run()
        return help.succeeded && (option.isEmpty || help.output.contains(option))
    }

    /// - Parameter seconds: after these it is killed, which no case may need.
    func run(_ arguments: [String], _ fault: Fault? = nil, seconds: Int = 120) throws -> Ended {
        let scratch = try fault.map { _ in try TemporaryFolder("fault") }
        var whole = environment
        if let fault, let scratch {
            whole.merge(try fault.environment) { _, new in new }
            whole["FAULT_HIT"] = scratch.path.appending("hit").string
        }
        let started = MonotonicTime.seconds(since: 0)
        let outcome = try ChildProcess(
            "/usr/bin/timeout", ["-s", "KILL", "\(seconds)", try Self.path().string] + arguments, environment: whole
        ).run()
        if MonotonicTime.seconds(since: 0) - started > Double(seconds) - 1 {
            Issue.record("\(arguments.joined(separator: " ")) did not end within \(seconds) s")
        }
        let hit = try scratch.map { try FileStatus.ifPresent($0.path.appending("hit")) != nil } ?? false
        return Ended(exit: outcome.exit, output: outcome.output, errors: outcome.errors, hit: hit)
    }

    /// Runs it whole and notes every step.
    func trace(_ arguments: [String]) throws -> (ended: Ended, steps: [Step]) {
        let scratch = try TemporaryFolder("trace")
        let file = scratch.path.appending("trace")
        var whole = environment
        whole["LD_PRELOAD"] = try Shim.library.get().string
        whole["FAULT_TRACE"] = file.string
        let ended = try Program(environment: whole).run(arguments)
        let text = String(decoding: try OpenFile(file, .read).readAll(), as: UTF8.self)
        // What is only tried (what a file system can do, whether a disk is alive) has names of its own each time, and its
        // failure is an answer.
        let lines = text.split(separator: "\n").filter {
            !$0.contains("/probe-") && !$0.contains("/.mlflow-backup-probe-") && !$0.contains("/pulse.")
        }
        return (ended, lines.compactMap { Step(line: $0) })
    }

    /// The same with a clock that is ahead by some seconds.
    func later(_ seconds: Int) throws -> Program {
        let clock = ["LD_PRELOAD": try Shim.library.get().string, "FAULT_CLOCK": "\(seconds)"]
        return Program(environment: environment.merging(clock) { _, new in new })
    }

    /// Starts it and does not wait; for tests that end it themselves.
    func start(_ arguments: [String], _ fault: Fault? = nil) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try Self.path().string)
        process.arguments = arguments
        process.environment = environment.merging(try fault?.environment ?? [:]) { _, new in new }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }
}

/// The LD_PRELOAD library, built once for the tests of this process.
enum Shim {
    static let library = Result { () throws -> FilePath in
        let folder = FilePath("/tmp/mlflow-backup-shim-\(getpid())")
        try Directory.make(folder, mode: 0o700)
        atexit { try? Directory.removeTree(FilePath("/tmp/mlflow-backup-shim-\(getpid())")) }
        let sources = FilePath(String(#filePath)).parent.parent.appending("Shim")
        let target = folder.appending("faults.so")
        try Shell.sh("gcc -std=gnu17 -O1 -Wall -shared -fPIC -o '\(target)' '\(sources)'/*.c -ldl -lpthread")
        return target
    }
}
