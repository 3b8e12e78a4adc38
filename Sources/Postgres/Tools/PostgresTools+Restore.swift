// SPDX-License-Identifier: Apache-2.0

import SystemIO

extension PostgresTools {
    /// Loads a dump into an empty database. The first error ends it: a part of a database is no restore.
    ///
    /// What takes rights that this role has not is left out, with what depends on it (`RestoreList`). Then owners, grants,
    /// publications and the like are given back one by one, as far as the server lets this role (`RestoreAfterwards`). Subscriptions, which would
    /// begin to replicate, are not made.
    /// - Parameters:
    ///   - dumper: the role that made the dump (`DatabaseGround.role`): what was its own becomes its own again, or whoever is meant to have
    ///     it here (`heir`), else the restoring role's. `nil` where that is not known: then all does.
    ///   - live: the database in whose place it is put.
    ///   - jobs: tables and indices loaded at once.
    ///   - onProgress: called on this thread.
    /// - Returns: what is not as it was.
    /// - Throws: `PostgresError`, `needsSuperuser` and `extensionsUnavailable` before anything is loaded; `SystemError`, or
    ///   `CancelledError`. The database is then good only for dropping.
    @discardableResult
    public func restore(
        from directory: FilePath, into settings: ConnectionSettings, dumper: String? = nil,
        standingFor live: String? = nil, jobs: Int,
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
        var afterwards = RestoreAfterwards(list, in: situation, on: session, cancellation: cancellation)
        let refused = try afterwards.run(dumper: dumper, heir: heir(dumper, of: contents, live, situation, on: session))
        let lost = try list.rowsLeftOut.filter { try Self.hasRows($0, in: directory) }.compactMap(\.content?.table)
        return list.leftOut + lost.map { .rows(of: $0) } + list.moved + refused
    }

    /// To whom goes what was the dumper's own, so that MLflow finds it: to him whose the same tables are in the live database (the backup
    /// may be another stack's, by a role that is here, too); to the dumper. A superuser who knows neither gives it to the role that sessions of
    /// the live database work as, or to that database's owner. But to no superuser who is not the dumper: a function of MLflow's that runs
    /// with its owner's rights would then run with all of them. Of a backup that names no dumper all is this role's, unless that is
    /// a superuser.
    /// - Returns: `nil` where it is this role. One to whom it may not be given, whose the live tables are, where there is nobody else: that is
    ///   told of.
    private func heir(
        _ dumper: String?, of contents: DumpContents, _ live: String?, _ situation: RestoreSituation,
        on session: Connection
    ) throws(PostgresError) -> String? {
        if dumper == nil, !situation.isSuperuser { return nil }
        let tables = contents.tables(of: dumper ?? contents.ownerOfTables ?? "")
        let owner = live.flatMap { ownerOf(tables, in: session.settings.naming(database: $0)) }
        if owner == situation.role, !situation.isSuperuser { return nil }
        let mayGive = session.mayGive(to: "r.oid")
        // Whoever owns a database may name any role in its settings.
        let name = try session.rows(
            """
            with live as (select oid, datdba from pg_catalog.pg_database where datname = \(live ?? "")),
              working as (
                select pg_catalog.substr(entry, 6) as name
                from pg_catalog.pg_db_role_setting s cross join lateral pg_catalog.unnest(s.setconfig) entry
                where s.setdatabase = (select oid from live) and pg_catalog.starts_with(entry, 'role=')
                  and s.setrole in (0, (select oid from pg_catalog.pg_roles where rolname = session_user)))
            select r.rolname::text as name from pg_catalog.pg_roles r
            cross join lateral (
              select case
                when r.rolname = \(owner ?? "") and r.rolname <> current_user then 1
                when r.rolname = \(dumper ?? "") then 2
                when r.rolname = current_user or \(owner != nil || !situation.isSuperuser ? "true" : "false" as SQL) then null
                when r.rolname in (select name from working)
                  and pg_catalog.pg_has_role((select datdba from live), r.oid, 'MEMBER') then 3
                when r.oid = (select datdba from live) then 4 end) c(rank)
            where (rank = 1 or rank > 1 and \(mayGive)) and (r.rolname = \(dumper ?? "") or not r.rolsuper)
            order by not \(mayGive), rank limit 1
            """
        ).first?.string("name")
        return name == situation.role ? nil : name
    }

    /// Whose these tables are in a database. What else is there says nothing: anybody may have made it since.
    /// - Returns: `nil` where they are several roles', where fewer than half of them are there, and where it cannot be asked: what is
    ///   restored may stand for a database that is damaged.
    private func ownerOf(_ tables: Set<QualifiedTable>, in settings: ConnectionSettings) -> String? {
        do throws(PostgresError) {
            let session = try Connection(settings)
            defer { session.close() }
            let rows = try session.rows(
                """
                select n.nspname::text as schema, c.relname::text as name, pg_catalog.pg_get_userbyid(c.relowner)::text as owner
                from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where c.relkind in ('r', 'p')
                """)
            var owners: [String] = []
            for row in rows {
                let table = QualifiedTable(schema: try row.string("schema"), name: try row.string("name"))
                if tables.contains(table) { owners.append(try row.string("owner")) }
            }
            guard let owner = owners.first, owners.allSatisfy({ $0 == owner }) else { return nil }
            return owners.count * 2 >= tables.count ? owner : nil
        } catch { return nil }
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
