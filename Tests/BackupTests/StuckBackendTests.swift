// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

/// On a server of its own: DROP DATABASE waits for every process of a server.
@Suite("A server process that does not react", .serialized, .onItsOwnThread)
struct StuckBackendTests {
    @Test("in the live database: the restore gives up and names it, and the next run settles")
    func inTheLiveDatabase() throws {
        let server = try TemporaryPostgres()
        defer { server.stop() }
        let live = try LiveStackFixture("stuck", on: server, patience: 2)
        let name = try live.backup().name.string
        let (rows, files) = (try live.rows(), try live.files())
        let session = try Connection(live.database, applicationName: "a stuck report")
        defer { session.close() }
        let pid = try #require(try session.rows("select pg_backend_pid()").first?.int(0))
        try #require(kill(Int32(pid), SIGSTOP) == 0)
        defer { kill(Int32(pid), SIGCONT) }
        let error = #expect(throws: PostgresError.self) { try live.restore(name) }
        let reason = error?.explanation.english ?? ""
        #expect(reason.contains("pid \(pid)") && reason.contains("a stuck report"), "\(reason)")
        #expect(try RestoreJournal.isPresent(live.stack, live.folder))
        for again in [{ _ = try live.recover() }, { _ = try live.restore(name) }] as [() throws -> Void] {
            let refused = #expect(throws: BackupError.self) { try again() }
            #expect(refused?.errorCode == "restore-leftover", "\(String(describing: refused))")
            #expect(refused?.explanation.english.contains("pid \(pid)") == true, "\(String(describing: refused))")
        }
        // Nothing live depends on what could not be removed.
        try live.backup()

        kill(Int32(pid), SIGCONT)
        #expect(try live.recover() == .undone(backup: name, task: nil))
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
        try live.restore(name)
    }

    /// The session that is closed for it took the stack's lock with it.
    @Test("that is our own one: the restore takes the lock again and removes what it had prepared")
    func ourOwn() throws {
        let server = try TemporaryPostgres()
        defer { server.stop() }
        let live = try LiveStackFixture("stuck_own", on: server, patience: 2)
        let name = try live.backup().name.string
        let (rows, files) = (try live.rows(), try live.files())
        let superuser = server.superuser.naming(database: "postgres")
        let letting = Monitor<WorkerThread?>(nil)
        let error = #expect(throws: PostgresError.self) {
            // The dump is loaded by other sessions; ours is asked next when it is.
            try live.restore(name, force: true) { step in
                letting.withLock { thread in
                    guard thread == nil, step.phase == .loading else { return }
                    do { thread = try Self.stopTheLocksProcess(superuser) } catch { Issue.record(error) }
                }
            }
        }
        letting.withLock { $0 }?.join()
        #expect(error?.errorCode == "database-process-stuck", "\(String(describing: error))")
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
        try live.restore(name)
    }

    /// - Returns: a thread that lets it go on once it was given up.
    private static func stopTheLocksProcess(_ superuser: ConnectionSettings) throws -> WorkerThread {
        let row = try Connection(superuser).rows(
            "select pid from pg_stat_activity where application_name like 'mlflow-backup restore%'"
        ).first
        let pid = Int32(try #require(try row?.int("pid")))
        try #require(kill(pid, SIGSTOP) == 0)
        return try WorkerThread("letting go on") {
            defer { kill(pid, SIGCONT) }
            do {
                let looking = try Connection(superuser)
                let watch: SQL = "select from pg_stat_activity where application_name = 'mlflow-backup watch'"
                for wanted in [false, true] {
                    try Patience.wait("the watch", atMost: 60) { try looking.rows(watch).isEmpty == wanted }
                }
            } catch { Issue.record(error) }
        }
    }
}
