// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Tables that somebody else holds", .besideThePool, .onEachPostgres)
struct TablesInUseTests {
    /// A session that holds a table against everybody, and has said something in its last statement.
    private static func holder(_ live: LiveStackFixture, _ table: String) throws -> (session: Connection, pid: Int) {
        let session = try Connection(live.database, applicationName: "nightly migration")
        try session.execute("begin")
        try session.execute("lock table \(identifier: table) in access exclusive mode")
        let pid = try session.rows("select pg_backend_pid(), 'a secret literal'").first?.int(0)
        return (session, try #require(pid))
    }

    /// The error names whoever holds the table, in both languages, and nothing of what that session says.
    private func expectNamed(_ error: PostgresError?, _ pid: Int?, _ live: LiveStackFixture) throws {
        let error = try #require(error)
        let pid = try #require(pid)
        #expect(error.errorCode == "tables-in-use")
        for text in [error.explanation.english, error.explanation.chinese] {
            for word in ["pid \(pid)", "mlflow_user", "nightly migration", "127.0.0.1"] {
                #expect(text.contains(word), "\(word) in: \(text)")
            }
            #expect(!text.contains("secret"))
        }
        #expect(error.explanation.english.contains("since 20"), "\(error.explanation.english)")
    }

    @Test(
        "are named with their holder by the first comparison and by the last, and the live data stays",
        arguments: [0.85, 0.93])
    func comparisons(fraction: Double) throws {
        let live = try LiveStackFixture("held_tables", patience: 2)
        let name = try live.backup().name.string
        let rows = try live.rows()
        let held = Monitor<(session: Connection, pid: Int)?>(nil)
        let error = #expect(throws: PostgresError.self) {
            try live.restore(name, force: true) { step in
                guard step.phase == .comparing, step.fraction == fraction, held.withLock({ $0 == nil }) else { return }
                held.withLock { $0 = try? Self.holder(live, "runs") }
            }
        }
        try expectNamed(error, held.withLock { $0?.pid }, live)
        held.withLock { $0?.session.close() }
        #expect(try live.rows() == rows)
        try live.expectNothingLeftBehind()
        try live.restore(name, force: true)
    }

    @Test(
        "are named before anything is unpacked, by a backup, too, and whichever table it is",
        arguments: ["runs", "alembic_version"])
    func early(table: String) throws {
        let live = try LiveStackFixture("held_early", patience: 2)
        let name = try live.backup().name.string
        let (session, pid) = try Self.holder(live, table)
        defer { session.close() }
        let restore = #expect(throws: PostgresError.self) { try live.restore(name) }
        try expectNamed(restore, pid, live)
        let start = MonotonicTime.nanoseconds()
        let backup = #expect(throws: PostgresError.self) {
            try BackupJob(live.workspace(), options: .init(), version: "test").run()
        }
        // Once for as long as it says, and not five times.
        #expect(MonotonicTime.seconds(since: start) < 10)
        try expectNamed(backup, pid, live)
    }

    @Test("are not waited for where somebody only asks for a restore")
    func asked() throws {
        let live = try LiveStackFixture("held_asked", patience: 30)
        let item = try live.item(try live.backup().name)
        let session = try Self.holder(live, "runs").session
        defer { session.close() }
        let start = MonotonicTime.nanoseconds()
        let found = RestorePreflight(live.workspace(), options: .init()).run(item, .request(newerWithin: 1))
        #expect(found.obstacles.isEmpty)
        #expect(MonotonicTime.seconds(since: start) < 10)
    }

    @Test("are named when they are only waited for: behind who waits for a lock, everybody waits")
    func queue() throws {
        let live = try LiveStackFixture("held_queue", patience: 2)
        let name = try live.backup().name.string
        let reader = try Connection(live.database, applicationName: "long report")
        defer { reader.close() }
        try reader.execute("begin")
        try reader.execute("select count(*) from runs")
        let waiting = try WorkerThread("migration") {
            // Outside a transaction LOCK TABLE is refused; a block of its own is one.
            _ = try? Connection(live.database, applicationName: "nightly migration").execute(
                "do $$ begin lock table runs in access exclusive mode; end $$")
        }
        let watch = try Connection(live.database)
        while try watch.rows("select from pg_locks where not granted and relation = 'runs'::regclass").isEmpty {
            usleep(20_000)
        }
        let error = #expect(throws: PostgresError.self) { try live.restore(name) }
        #expect(error?.explanation.english.contains("nightly migration") == true, "\(String(describing: error))")
        reader.close()
        waiting.join()
    }

    /// C49.
    @Test("a migration that queues behind a backup waits for some seconds, and the backup is made after it")
    func queuedMigration() throws {
        let live = try LiveStackFixture("queued_migration")
        let took = Monitor<Double?>(nil)
        let migration = Monitor<WorkerThread?>(nil)
        let backup = try live.backup { step in
            guard step.phase == .dumping, migration.withLock({ $0 == nil }) else { return }
            let thread = try? WorkerThread("migration") { [database = live.database] in
                guard let session = try? Connection(database, applicationName: "nightly migration") else { return }
                let locked: SQL = """
                    select from pg_locks l join pg_stat_activity a using (pid)
                    where l.relation = 'runs'::regclass and l.granted and a.application_name = 'mlflow-backup snapshot'
                    """
                while (try? session.rows(locked).isEmpty) == true { usleep(5_000) }
                let start = MonotonicTime.nanoseconds()
                guard (try? session.execute("alter table runs alter start_time type numeric")) != nil else { return }
                took.withLock { $0 = MonotonicTime.seconds(since: start) }
            }
            migration.withLock { $0 = thread }
        }
        migration.withLock { $0 }?.join()
        let seconds = try #require(took.withLock { $0 })
        #expect(seconds < 15, "it waited \(seconds) s")
        #expect(backup.manifest.database.rows["public.runs"] == 20)
        try live.restore(backup.name.string, force: true)
        #expect(try Connection(live.database).rows("select from runs").count == 20)
    }
}
