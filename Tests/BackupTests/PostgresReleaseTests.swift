// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("On another PostgreSQL than the installed one", .besideThePool)
struct PostgresReleaseTests {
    private static let others = PostgresRelease.others.filter(\.isHere)

    private func live(_ name: String, _ release: PostgresRelease) throws -> LiveStackFixture {
        try LiveStackFixture(name, on: .shared(release))
    }

    @Test("a stack is backed up, restored, taken back and recovered by that version's own programs", arguments: others)
    func chain(_ release: PostgresRelease) throws {
        let live = try live("release", release)
        let (rows, files) = (try live.rows(), try live.files())
        try live.letStampsAge()
        let first = try live.backup()
        let major = first.manifest.database.serverVersion / 10_000
        #expect(release.testDescription == "PostgreSQL \(major)")
        #expect(first.manifest.database.dumpToolVersion == major)
        #expect(first.manifest.database.rows["public.runs"] == 20 && first.warnings.isEmpty, "\(first.warnings)")
        let second = try live.backup()
        #expect(second.unchanged?.since == first.name, "an unchanged stack is another name of the backup before")
        _ = try VerifyJob(live.workspace()).run(second.name.string)

        try live.add(runs: 21...22)
        try Connection(live.database).execute("delete from metrics where run_uuid = 'run3'")
        try Directory.removeTree(live.artifacts.appending("1/run4"))
        let newer = (rows: try live.rows(), files: try live.files())
        let refused = #expect(throws: BackupError.self) { try live.restore(second.name.string) }
        #expect(refused?.errorCode == "newer-data")
        #expect(try live.rows() == newer.rows && live.files() == newer.files)

        try live.restore(second.name.string, force: true)
        #expect(try live.rows() == rows && live.files() == files)
        try live.undo()
        #expect(try live.rows() == newer.rows && live.files() == newer.files)

        try live.interruptRestore(of: second.name.string, swappingDatabases: true)
        try live.recover()
        #expect(try live.rows() == rows && live.files() == files)
        try live.expectNothingLeftBehind()
    }

    @Test("what the installed version's pg_dump wrote is restored there", arguments: others)
    func fromInstalled(_ release: PostgresRelease) throws {
        let (old, new) = (try live("from_installed", .installed), try live("into_other", release))
        let (rows, files) = (try old.rows(), try old.files())
        let made = try old.backup()
        try Databases(new.database).drop(new.database.database)
        try Directory.removeTree(new.artifacts)
        let name = try Catalogue(new.folder).adopt(made.path)
        try new.restore(name.string)
        #expect(try new.rows() == rows && new.files() == files)
        // And is a stack like any other afterwards.
        #expect(try new.backup().manifest.database.rows["public.runs"] == 20)
    }

    @Test("what its pg_dump wrote is refused by an older server at once, with what would do", arguments: others)
    func intoInstalled(_ release: PostgresRelease) throws {
        let (new, old) = (try live("from_other", release), try live("into_installed", .installed))
        let made = try new.backup()
        let name = try Catalogue(old.folder).adopt(made.path)
        let before = try old.rows()
        let error = #expect(throws: PostgresError.self) { try old.restore(name.string, force: true) }
        #expect(error?.errorCode == "dump-too-new")
        let words = error?.explanation.english ?? ""
        let advice = release == .sixteen ? "postgresql-client-16" : "Upgrade the server to 18"
        #expect(words.contains(advice), "\(words)")
        let found = RestorePreflight(old.workspace(), options: .init(mode: .full, force: true)).run(
            try Catalogue(old.folder).item(named: name.string), .request(newerWithin: 1))
        #expect(found.obstacles.contains { $0.stableCode == "dump-too-new" }, "\(found.obstacles)")
        #expect(try old.rows() == before)
        // Files alone need no program.
        try old.restore(name.string, .artifacts, force: true)
        try old.expectNothingLeftBehind()
    }

    @Test(
        "a dump of the version before is restored by the newer one's client into a server that is older",
        arguments: others)
    func newerClient(_ release: PostgresRelease) throws {
        let live = try live("newer_client", .installed)
        let rows = try live.rows()
        let tools = PostgresTools(binDirectory: try TemporaryPostgres.shared(release).binDirectory)
        let stack = LiveStack(
            database: live.database, tools: tools, artifacts: live.artifacts, mlflowVersion: { "3.17.2" })
        let workspace = Workspace(stack, live.folder, log: .silent)
        try live.awaitOlderTransactions()
        let job = BackupJob(workspace, options: .init(kind: .compressed, retention: .default), version: "test")
        let made = try job.run()
        let restore = RestoreJob(workspace, options: .init(mode: .full, force: true))
        guard release == .sixteen else {
            #expect(
                made.warnings.contains { $0.english.contains("transaction") || $0.english.contains("restore into") })
            let error = #expect(throws: PostgresError.self) { try restore.run(made.name.string) }
            #expect(error?.errorCode == "tool-too-new")
            return
        }
        try Connection(live.database).execute("delete from metrics")
        _ = try restore.run(made.name.string)
        #expect(try live.rows() == rows)
    }
}
