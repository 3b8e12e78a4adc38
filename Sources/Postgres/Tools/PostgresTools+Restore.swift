// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension PostgresTools {
    /// Loads a dump into an empty database. The first error ends it: a part of a database is no restore.
    ///
    /// Owners and grants of the dump are not restored, everything belongs to the role of `settings`: the roles of the
    /// old server may not exist here. Neither are tablespaces, nor publications and subscriptions, which would start
    /// to replicate. Extensions that this role may not create are left out and reported by `ToolProgress.skipped`.
    /// - Parameters:
    ///   - jobs: tables and indices loaded at once.
    ///   - onProgress: called on this thread.
    /// - Throws: `PostgresError`, `SystemError`, or `CancelledError`. The database is then good only for dropping.
    public func restore(
        from directory: FilePath, into settings: ConnectionSettings, jobs: Int,
        cancellation: Cancellation = Cancellation(), onProgress: (ToolProgress) -> Void = { _ in }
    ) throws {
        let folder = try PrivateFolder()
        let list = try restoreList(of: directory, for: settings, in: folder)
        for name in list.skippedExtensions { onProgress(.skipped(extension: name)) }
        var arguments = [
            "--format=directory", "--jobs=\(max(1, jobs))", "--exit-on-error", "--no-owner", "--no-privileges",
            "--no-tablespaces", "--no-publications", "--no-subscriptions", "--verbose",
        ]
        if let text = list.text { arguments.append("--use-list=\(try folder.write("list", text))") }
        try run(
            .restore, arguments + [directory.string], settings: settings, cancellation: cancellation,
            onProgress: onProgress)
        try folder.remove()
    }

    private func restoreList(
        of directory: FilePath, for settings: ConnectionSettings, in folder: PrivateFolder
    ) throws -> RestoreList {
        let contents = folder.path.appending("contents")
        let outcome = try ChildProcess(
            path(of: .restore), ["--list", "--file=\(contents)", "--format=directory", directory.string],
            environment: ["LC_ALL": "C"]
        ).run()
        if !outcome.succeeded {
            throw PostgresError(tool: Tool.restore.rawValue, outcome: outcome, settings: settings)
        }
        return try RestoreList(contents: OpenFile(contents, .read).readAll(), on: Connection(settings))
    }
}
