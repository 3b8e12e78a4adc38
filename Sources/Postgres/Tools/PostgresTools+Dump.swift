// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension PostgresTools {
    /// Dumps a database into a folder that must not exist yet or be empty (directory format).
    ///
    /// Nothing is synced to disk: the folder is a stage of our own, and what is published is made from it.
    /// - Parameters:
    ///   - snapshot: `ExportedSnapshot.identifier`, still held.
    ///   - jobs: tables dumped at once, each by a session of its own; one more session leads them.
    ///   - isStandby: rows of unlogged tables are not there, and are left out.
    ///   - compressionLevel: 0 to 9. The archive compresses by itself, so 0 serves best.
    ///   - onProgress: called on this thread.
    /// - Throws: `PostgresError`, also `tablesInUse` (see `PostgresError.metLock`), `SystemError`, or `CancelledError`. What was written so far is left to the caller.
    package func dump(
        _ settings: ConnectionSettings, snapshot: String, into directory: FilePath, jobs: Int,
        isStandby: Bool = false, compressionLevel: Int = 0, cancellation: Cancellation = Cancellation(),
        onProgress: (ToolProgress) -> Void = { _ in }
    ) throws {
        try run(
            .dump,
            [
                "--format=directory", "--jobs=\(max(1, jobs))", "--compress=\(compressionLevel)",
                "--snapshot=\(snapshot)", "--no-sync", "--verbose",
                // The snapshot holds every table already: who is waited for here waits for us, and all of MLflow behind it.
                "--lock-wait-timeout=\(Int(Self.lockWaitSeconds(settings) * 1000))", "--file=\(directory.string)",
            ] + (isStandby ? ["--no-unlogged-table-data"] : []),
            settings: settings, cancellation: cancellation, onProgress: onProgress)
        let contents = directory.appending("toc.dat")
        guard let status = try FileStatus.ifPresent(contents), status.kind == .file, status.size > 0 else {
            throw PostgresError.toolFailed(
                tool: Tool.dump.rawValue, exit: "exit status 0", lastErrorLines: ["\(contents) was not written"])
        }
    }

    static func lockWaitSeconds(_ settings: ConnectionSettings) -> Double { min(2, settings.patience) }
}
