// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

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
}
