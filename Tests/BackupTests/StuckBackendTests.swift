// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// On a server of its own: DROP DATABASE waits for every process of a server.
@Suite("A server process that does not react", .serialized)
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
        let error = #expect(throws: BackupError.self) { try live.restore(name) }
        guard case .needsRecovery(let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("pid \(pid)") && reason.contains("a stuck report"), "\(reason)")
        #expect(RestoreJournal.isPresent(live.stack, live.folder))
        let recovery = #expect(throws: BackupError.self) { try live.recover() }
        #expect(recovery?.explanation.english.contains("pid \(pid)") == true, "\(String(describing: recovery))")

        kill(Int32(pid), SIGCONT)
        #expect(try live.recover() == .undone(backup: name, task: nil))
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
        try live.restore(name)
    }
}
