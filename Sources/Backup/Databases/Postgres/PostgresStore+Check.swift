// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import Wording

extension PostgresStore {
    package func check(
        holding held: (any StoreSession)?, isHasty: Bool, _ findings: inout Findings
    ) -> BackupRoom.Dump? {
        let tools = isHasty ? tools.waiting(atMost: FolderPulse.hasty) : tools
        findings.make(.tools) { try tools.checkHandingOver(settings.password) }
        guard let connection = findings.make(.database, { try Connection(settings) }) else {
            // Which tool is needed is not known without the server; that it is there at all is.
            findings.make(.tools) { _ = try tools.version(of: .dump) }
            return nil
        }
        defer { connection.close() }
        findings.make(.tools) { try tools.check(serverVersion: connection.serverVersion) }
        findings.make(.database) {
            let schema = try StoreSchema(on: connection)
            guard schema.name != nil else {
                throw BackupError.databaseEmpty(name: name, schemas: schema.all, wanted: settings.schema)
            }
        }
        if let databases = findings.make(
            .database, { try (held as? PostgresSession)?.server ?? StackLock.look(settings) })
        {
            checkGround(on: connection, databases, isHasty: isHasty, &findings)
        }
        return findings.make(.database) { try connection.dumpMeasure() }
    }

    /// What this role may not read, what a restore by it would fail of or leave out, and whether the server has sessions left.
    /// - Parameter databases: on a session in the maintenance database, as the job holds one.
    private func checkGround(
        on session: Connection, _ databases: Databases, isHasty: Bool, _ findings: inout Findings
    ) {
        guard let ground = findings.make(.database, { try DatabaseGround(on: session) }) else { return }
        findings.make(.database) { try ground.requireReadable() }
        // What cannot be named cannot be counted.
        findings.make(.database) { try session.ordinaryTables() }
        findings.make(.database) {
            try ConnectionRoom(on: session, isEnding: true).require(ConnectionRoom.besideJobs + 1)
            // Whoever asks often would take MLflow's places there.
            if !isHasty { try session.requirePooled(ConnectionRoom.besideJobs + 1) }
        }
        findings.note(.database, BeyondRestore.notices(ground.beyondRestore, role: ground.role))
        guard
            let obstacles = findings.make(
                .database, { try ground.restoreObstacles(on: session, databases, with: tools) })
        else { return }
        findings.note(
            .database,
            obstacles.map { obstacle in
                BilingualText(zh: "备份可以进行，但恢复会失败：", en: "It can be backed up, but a restore would fail: ")
                    + obstacle.bilingual
            })
    }
}

extension Connection {
    /// What the dump of this database will be about: the rows of its tables and large objects, without indices.
    ///
    /// The size of a file is told by opening the table, which waits for whoever holds it: what the last VACUUM or ANALYZE
    /// noted takes no lock, and is as good for a table that is being rewritten.
    func dumpMeasure() throws(PostgresError) -> BackupRoom.Dump {
        try execute("SET lock_timeout = '1s'")
        do throws(PostgresError) {
            return try dumpMeasure(
                of: """
                    pg_catalog.pg_relation_size(c.oid)
                    + coalesce(pg_catalog.pg_relation_size(nullif(c.reltoastrelid, 0)), 0)
                    """)
        } catch {
            // A session that was lost says so again.
            return try dumpMeasure(
                of: """
                    pg_catalog.current_setting('block_size')::bigint * (c.relpages + coalesce(
                        (SELECT t.relpages FROM pg_catalog.pg_class t WHERE t.oid = c.reltoastrelid), 0))
                    """)
        }
    }

    /// A value of a row is a byte in a dump at least, and a separator; how many rows there are the last VACUUM or ANALYZE noted.
    /// - Parameter size: of a table `c`, in bytes.
    private func dumpMeasure(of size: SQL) throws(PostgresError) -> BackupRoom.Dump {
        let row = try rows(
            """
            SELECT coalesce(sum(\(size)), 0)::bigint, count(*),
                least(coalesce(sum(greatest(c.reltuples, 0)::float8 * 2 * c.relnatts), 0), 1e18)::bigint
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND c.relpersistence <> 't'
                AND (n.nspname NOT IN ('pg_catalog', 'information_schema') OR c.relname = 'pg_largeobject')
            """
        ).first
        guard let row else { return .init(tables: 0, least: 0, files: 0) }
        return .init(
            tables: UInt64(clamping: try row.int64(0)), least: UInt64(clamping: try row.int64(2)),
            files: UInt64(clamping: try row.int64(1)))
    }
}
