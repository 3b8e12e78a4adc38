// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

/// On a server of its own: it holds up whoever asks for the locks of the maintenance database.
@Suite("A client that comes in while the database is swapped", .onEachPostgres, .onItsOwnThread)
struct LateClientTests {
    /// Waits for what another session sees, a minute at most.
    private func wait(for what: SQL, on session: Connection) throws {
        try Patience.wait("\(what)", atMost: 60) { try !session.rows(what).isEmpty }
    }

    /// InitPostgres locks the database, and only then shows the session in `pg_stat_activity`; with `post_auth_delay` it
    /// stays for seconds in between.
    @Test("has nothing acknowledged by the old one, though it was in no list when the others were looked for")
    func inBetween() throws {
        let server = try TemporaryPostgres()
        defer { server.stop() }
        let (live, new) = (try server.freshDatabase("live"), try server.freshDatabase("new").database)
        let comparing = try Connection(live)
        try comparing.execute("create table rows (line text)")
        try comparing.execute("begin")
        try comparing.execute("lock table rows in share mode")
        let spared = try #require(try comparing.rows("select pg_backend_pid()").first?.int(0))

        let looking = try Connection(server.superuser)
        let client = try WorkerThread("client") {
            // Whether it is told that its row is stored is what the test is about.
            let stored = try? Shell.run(
                server.binDirectory.appending("psql"),
                [
                    "-h", live.host, "-p", "\(live.port)", "-U", live.user, "-c", "insert into rows values ('late')",
                    live.database,
                ],
                environment: ["PGPASSWORD": TemporaryPostgres.userPassword, "PGOPTIONS": "-c post_auth_delay=3"])
            if stored != nil { Issue.record("acknowledged in a database that was replaced") }
        }
        try wait(
            for: """
                select from pg_locks l join pg_database d on d.oid = l.objid
                where l.classid = 'pg_database'::regclass and d.datname = \(live.database)
                  and l.mode = 'RowExclusiveLock' and l.granted
                """, on: looking)

        // Who asks there whether the door is shut waits here until the client is in.
        let holding = try Connection(server.superuser.naming(database: "postgres"))
        try holding.execute("begin")
        try holding.execute("lock table pg_catalog.pg_locks in access exclusive mode")
        let holder = try #require(try holding.rows("select pg_backend_pid()").first?.int(0))
        let letting = try WorkerThread("letting go") {
            do {
                let looking = try Connection(server.superuser)
                try wait(
                    for: """
                        select from pg_stat_activity where datname = \(live.database) and application_name = 'psql'
                          and wait_event_type = 'Lock'
                        """, on: looking)
                try looking.execute("select pg_terminate_backend(\(holder))")
            } catch { Issue.record(error) }
        }
        try Databases(server.settings).swap(
            live: live.database, replacement: new, keepingOldAs: "old", sparing: [spared],
            leave: { comparing.close() })
        letting.join()
        client.join()
        let old = try Connection(server.settings.naming(database: "old"))
        #expect(try old.rows("select from rows").isEmpty)
    }
}
