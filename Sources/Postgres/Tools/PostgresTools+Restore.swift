// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension PostgresTools {
    /// Loads a dump into an empty database. The first error ends it: a part of a database is no restore.
    ///
    /// What takes rights that this role has not is left out, with what depends on it (`RestoreList`). Then owners, grants,
    /// publications and the like are given back one by one, as far as the server lets this role (`RestoreAfterwards`). Subscriptions, which would
    /// begin to replicate, are not made.
    /// - Parameters:
    ///   - dumper: the role that made the dump (`DatabaseGround.role`): what was its own, or, where no table was, the owner's of most tables,
    ///     becomes his again, or whoever is meant to have it here (`heir`), else the restoring role's. `nil` where that is not known.
    ///   - application: names of tables by which it is known whose the application's are.
    ///   - live: the database in whose place it is put.
    ///   - isOfAnother: whether another stack made the dump: its roles are then not this one's for having the same names.
    ///   - jobs: tables and indices loaded at once.
    ///   - onProgress: called on this thread.
    /// - Returns: what is not as it was.
    /// - Throws: `PostgresError`, `needsSuperuser` and `extensionsUnavailable` before anything is loaded; `SystemError`, or
    ///   `CancelledError`. The database is then good only for dropping.
    @discardableResult
    package func restore(
        from directory: FilePath, into settings: ConnectionSettings, dumper: String? = nil,
        application: Set<String> = [], standingFor live: String? = nil, ofAnother isOfAnother: Bool = false, jobs: Int,
        cancellation: Cancellation = Cancellation(), onProgress: (ToolProgress) -> Void = { _ in }
    ) throws -> [BeyondRestore] {
        let session = try Connection(settings)
        defer { session.close() }
        try session.liftTimeouts()
        let folder = try PrivateFolder()
        let contents = try contents(of: directory, for: settings, session.serverVersion, in: folder)
        let situation = try RestoreSituation(contents, on: session)
        let list = try RestoreList(contents, in: situation)
        var arguments = [
            "--format=directory", "--jobs=\(max(1, jobs))", "--exit-on-error", "--no-owner", "--no-privileges",
            "--no-publications", "--no-subscriptions", "--verbose",
        ]
        if !list.keepsTablespaces { arguments.append("--no-tablespaces") }
        if let text = list.text { arguments.append("--use-list=\(try folder.write("list", text))") }
        try run(
            .restore, arguments + [directory.string], settings: settings, cancellation: cancellation,
            onProgress: onProgress)
        try folder.remove()
        var afterwards = RestoreAfterwards(
            list, in: situation, on: session, fillingTime: fillingTime, cancellation: cancellation)
        let owner = contents.tablesOwner(of: application, knowing: dumper)
        let tables = owner.map { contents.tables(of: $0, among: application) } ?? []
        let heir = try heir(owner, of: tables, live, ofAnother: isOfAnother, situation, on: session)
        let schemas = Set(tables.map(\.schema))
        let refused = try afterwards.run(
            owner: owner, in: schemas, heir: heir.name,
            isDumper: dumper == nil || dumper == owner,
            isCertain: owner.map { contents.isCertain($0, of: application) } ?? false)
        let all = owner.map { contents.allTables(of: $0, beside: tables) } ?? []
        let others = owner.map { contents.tables(of: application, beside: tables, butOf: $0) } ?? []
        let shutOut = try ShutOut(tables: all, others: others, formerOwner: owner, session: session)
            .found(comparedWith: live)
        let making = try live.map { live throws in
            try CreateRight(schemas: schemas, of: tables, formerOwner: owner, session: session).giveBack(asIn: live)
        }
        let lost = try list.rowsLeftOut.filter { try Self.hasRows($0, in: directory) }.compactMap(\.content?.table)
        return BeyondRestore.ordered(
            list.leftOut + lost.map { .rows(of: $0) } + list.moved + heir.told + refused + shutOut + (making ?? []))
    }

    /// Of a table without any, as most of extensions' are, there is the end mark alone (`\.` and three line ends; pg_dump.c,
    /// `dumpTableData_copy`).
    private static func hasRows(_ entry: DumpEntry, in directory: FilePath) throws(SystemError) -> Bool {
        try FileStatus.ifPresent(directory.appending("\(entry.id).dat")).map { $0.size > 5 } ?? true
    }

    private func contents(
        of directory: FilePath, for settings: ConnectionSettings, _ serverVersion: Int, in folder: PrivateFolder
    ) throws -> DumpContents {
        func output(_ name: String, _ options: [String]) throws -> [UInt8] {
            let file = folder.path.appending(name)
            let outcome = try ChildProcess(
                path(of: .restore, serverVersion: serverVersion),
                options + ["--verbose", "--file=\(file)", "--format=directory", directory.string],
                environment: ["LC_ALL": "C"]
            ).run()
            if !outcome.succeeded {
                throw PostgresError(tool: Tool.restore.rawValue, outcome: outcome, settings: settings)
            }
            return try OpenFile(file, .read).readAll()
        }
        let list = try output("contents", ["--list"])
        var scripts = [try output("script", ["--schema-only"])]
        let objects = DumpContents.largeObjects(of: list)
        if !objects.isEmpty {
            let wanted = try folder.write(
                "wanted-objects", Array(objects.joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")])
            scripts.append(try output("objects", ["--use-list=\(wanted)"]))
        }
        return DumpContents(list: list, scripts: scripts)
    }
}
