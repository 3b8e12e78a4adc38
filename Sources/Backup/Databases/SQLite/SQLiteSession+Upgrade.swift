// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MLflowStore
import SQLite
import SystemIO

extension SQLiteSession {
    /// The file's place is in the environment, as a server's would be.
    func run(
        _ program: FilePath, on name: String, log: Log, _ cancellation: Cancellation
    ) throws -> ProgramEnd {
        let own = ProcessInfo.processInfo.environment
        let environment = [
            "PATH": own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8",
            "DATABASE_UPGRADE_URI": "sqlite:///\(try files.file(name))",
        ]
        let ended = try ChildProcess(program, [], environment: environment).run(cancellation: cancellation)
        // What it left in a log would be seen by some, and by others not.
        if ended.exit == .code(0) { try ContentNumber.settle(files.file(name)) }
        return ProgramEnd(
            exit: ended.exit, lastLines: OutputLines.last(of: ended.output.suffix(4096) + "\n" + ended.errors))
    }

    func revision(of name: String) throws -> String? {
        try StoreSurvey.revision(on: SQLiteConnection(files.file(name), as: .copy, .finished, busyTimeout: 0))
    }
}
