// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

/// On a server of its own: DROP DATABASE waits for every process of a server.
@Suite("Waiting for others has an end", .onEachPostgres, .serialized, .onItsOwnThread)
struct PatienceTests {
    private let server: TemporaryPostgres
    private let settings: ConnectionSettings

    init() throws {
        server = try TemporaryPostgres()
        settings = server.settings.waiting(atMost: 2)
    }

    /// Runs `body` while a server process stands still.
    private func stopping<Result>(_ session: Connection, _ body: (Int) throws -> Result) throws -> Result {
        let pid = try #require(try session.rows("select pg_backend_pid()").first?.int(0))
        try #require(kill(Int32(pid), SIGSTOP) == 0)
        defer { kill(Int32(pid), SIGCONT) }
        return try body(pid)
    }

    private func expectNamed(_ error: PostgresError?, _ pid: Int, _ word: String) {
        #expect(error?.errorCode == "database-process-stuck", "\(String(describing: error))")
        for text in [error?.explanation.english, error?.explanation.chinese] {
            #expect(text?.contains("pid \(pid)") == true && text?.contains(word) == true, "\(text ?? "")")
        }
    }

    @Test("for a process that does not react, in whichever database, when one is dropped; afterwards it goes")
    func drop() throws {
        defer { server.stop() }
        let doomed = try server.freshDatabase("doomed").database
        let bystander = try Connection(server.superuser.naming(database: "postgres"), applicationName: "elsewhere")
        try stopping(bystander) { pid in
            let error = #expect(throws: PostgresError.self) { try Databases(settings).drop(doomed) }
            expectNamed(error, pid, "elsewhere")
        }
        try Databases(settings).drop(doomed)
        #expect(try !Databases(settings).exists(doomed))
    }

    @Test("for a process that does not leave, when its database is renamed")
    func rename() throws {
        defer { server.stop() }
        let (live, new) = (try server.freshDatabase("live").database, try server.freshDatabase("new").database)
        let inside = try Connection(settings.naming(database: live), applicationName: "inside")
        try stopping(inside) { pid in
            let error = #expect(throws: PostgresError.self) {
                try Databases(settings).swap(live: live, replacement: new, keepingOldAs: "kept")
            }
            expectNamed(error, pid, "inside")
        }
        try Databases(settings).swap(live: live, replacement: new, keepingOldAs: "kept")
    }

    @Test("for a table lock on the list of databases, when one is made")
    func create() throws {
        defer { server.stop() }
        let holder = try Connection(
            server.superuser.naming(database: "postgres"), applicationName: "holds the list")
        try holder.execute("begin")
        try holder.execute("lock table pg_catalog.pg_database in share mode")
        let pid = try #require(try holder.rows("select pg_backend_pid()").first?.int(0))
        let error = #expect(throws: PostgresError.self) { try Databases(settings).create("made", like: "mlflow") }
        expectNamed(error, pid, "holds the list")
        try holder.execute("rollback")
        try Databases(settings).create("made", like: "mlflow")
    }

    @Test("for our own session that holds the stack's lock: what is asked of it fails, and the lock counts as lost")
    func ownSession() throws {
        defer { server.stop() }
        let lock = try StackLock.take(settings, for: "restore of x", atMost: 1)
        try stopping(try lock.databases.connect()) { pid in
            let error = #expect(throws: PostgresError.self) { _ = try lock.databases.exists("mlflow") }
            expectNamed(error, pid, "restore of x")
            #expect(!lock.isHeld)
            // The server holds it for that process as long as it stands still.
            #expect {
                _ = try StackLock.take(settings, for: "again", atMost: 0.5)
            } throws: { ($0 as? PostgresError)?.explanation.english.contains("\(pid)") == true }
        }
        _ = try StackLock.take(settings, for: "again", atMost: 10)
    }

    @Test("for a statement that was to be cancelled and does not react to that")
    func cancelled() throws {
        defer { server.stop() }
        let session = try Connection(settings)
        let cancellation = Cancellation()
        try stopping(session) { _ in
            let canceller = try WorkerThread("canceller") {
                usleep(300_000)
                cancellation.cancel()
            }
            #expect(throws: CancelledError.self) { _ = try session.rows("select 1", cancellation: cancellation) }
            canceller.join()
        }
    }

    /// With a limit that leaves no place for the session that would look whom it waits for.
    @Test("where nobody can look, too: what is waited for comes, or the session is as good as before")
    func unwatched() throws {
        defer { server.stop() }
        let holder = try Connection(settings)
        try holder.execute("begin")
        try holder.execute("select pg_advisory_xact_lock(1)")
        let session = try Connection(settings)
        try session.becomePatient()
        let patient = try Connection(settings.waiting(atMost: 60))
        try patient.becomePatient()
        let admin = try Connection(server.superuser)
        try admin.execute("alter role mlflow_user connection limit 3")
        let error = #expect(throws: PostgresError.self) { try session.execute("select pg_advisory_xact_lock(1)") }
        #expect(error?.errorCode == "database-process-stuck", "\(String(describing: error))")
        #expect(error?.explanation.english.contains("connection limit") == false)
        #expect(try session.rows("select 2").first?.int(0) == 2)

        let pid = try #require(try holder.rows("select pg_backend_pid()").first?.int(0))
        let superuser = server.superuser
        let waiting = try #require(try patient.rows("select pg_backend_pid()").first?.int(0))
        let releasing = try WorkerThread("releasing") {
            do {
                let admin = try Connection(superuser)
                // Longer than what is waited for without a look.
                let since: SQL = """
                    select from pg_stat_activity where pid = \(waiting) and wait_event_type = 'Lock'
                      and clock_timestamp() - query_start > interval '1500 ms'
                    """
                try Patience.wait("the session to wait", atMost: 60) { try !admin.rows(since).isEmpty }
                try admin.execute("select pg_terminate_backend(\(pid))")
            } catch { Issue.record(error) }
        }
        try patient.execute("select pg_advisory_xact_lock(1)")
        releasing.join()
    }

    @Test("and work is no waiting: what waits for nobody is not cut")
    func work() throws {
        defer { server.stop() }
        let session = try Connection(settings.waiting(atMost: 0.5))
        try session.becomePatient()
        #expect(try session.rows("select 1 from pg_sleep(4)").count == 1)
    }

    @Test("but has a bound, too, after which it is cancelled and told as what it is")
    func workWithoutEnd() throws {
        defer { server.stop() }
        let session = try Connection(settings.waiting(atMost: 0.05))
        try session.becomePatient()
        let pid = try #require(try session.rows("select pg_backend_pid()").first?.int(0))
        let error = #expect(throws: PostgresError.self) { try session.execute("select pg_sleep(600)") }
        #expect(error?.errorCode == "database-work-unfinished", "\(String(describing: error))")
        for text in [error?.explanation.english, error?.explanation.chinese] {
            #expect(text?.contains("pid \(pid)") == true, "\(text ?? "")")
        }
        #expect(try session.rows("select 2").first?.int(0) == 2)
    }
}
