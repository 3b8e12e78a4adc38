// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Two clusters with a database of one name in one backup folder", .besideThePool)
struct TwoClustersTests {
    /// Both stacks, whose databases have one name, with the first one's folder for both.
    /// - Parameter copied: whether the second one's artifacts folder is a copy of the first one's, with its mark.
    private func twins(copied: Bool) throws -> [(stack: LiveStackFixture, workspace: Workspace)] {
        let (one, two) = (try TemporaryPostgres(), try TemporaryPostgres())
        let first = try LiveStackFixture("twin", on: one)
        let second = try LiveStackFixture("twin", on: two)
        try #require(first.database.database == second.database.database)
        if copied { try Shell.sh("cp -a '\(first.artifacts)/.mlflow-backup-stack' '\(second.artifacts)/'") }
        return [
            (first, first.workspace()), (second, Workspace(second.stack, first.folder, log: .silent)),
        ]
    }

    private func ids(_ workspace: Workspace) throws -> [String] {
        try KeptParts(workspace).listing().map(\.part.id)
    }

    @Test("neither lists, takes back or forgets what the other's restores have kept", arguments: [false, true])
    func apart(copied: Bool) throws {
        let both = try twins(copied: copied)
        defer { for (stack, _) in both { stack.server.stop() } }
        var kept: [String] = []
        var names: [String] = []
        for (stack, workspace) in both {
            let name = try BackupJob(workspace, options: .init(), version: "test").run().name.string
            names.append(name)
            try stack.add(runs: 21...21)
            let outcome = try RestoreJob(workspace, options: .init(force: true)).run(name)
            kept.append(try #require(outcome.kept).id)
        }
        for (place, other) in [(0, 1), (1, 0)] {
            let workspace = both[place].workspace
            #expect(try ids(workspace) == [kept[place]])
            #expect(throws: BackupError.noSuchKeptPart(id: kept[other])) { try ForgetJob(workspace).run(kept[other]) }
            #expect(try KeptParts(workspace).pinnedBackups().isSuperset(of: names), "too many do no harm")
        }
        // The older one is the newest of its stack.
        for (stack, workspace) in both {
            _ = try UndoJob(workspace, force: false).run()
            #expect(try stack.rows().contains("run21"))
        }
        // An expiry of one looks at none of the other's.
        var hasty = both[0].workspace
        hasty.keepSeconds = 0
        let before = try ids(both[1].workspace)
        try hasty.holdingStack("test") { _ in }
        #expect(try ids(both[1].workspace) == before && before.count == 1)
    }

    @Test("what a cluster kept that another one has replaced is told of, and `claim` takes it up")
    func replacedCluster() throws {
        let live = try LiveStackFixture("twin_upgraded")
        let name = try live.backup().name
        try live.add(runs: 21...21)
        try live.restore(name.string, force: true)
        var part = try #require(try KeptParts(live.workspace()).all().first)
        // As after pg_upgrade, which keeps oids.
        part.stack?.system = "1"
        try part.write(in: live.folder)
        var sidecar = try live.sidecar(name)
        sidecar.stack?.system = "1"
        try sidecar.write(in: live.folder)
        #expect(try ids(live.workspace()).isEmpty)
        let told = try KeptParts(live.workspace()).identified().warnings()
        #expect(told.contains { $0.english.contains(part.id) && $0.chinese.contains("mlflow-backup claim") }, "\(told)")
        let claimed = try ClaimJob(live.workspace()).run()
        #expect(claimed.stacks.count == 1 && claimed.kept == [part.id])
        #expect(try ids(live.workspace()) == [part.id])
        try live.undo()
        #expect(try live.rows().contains("run21"))
    }

    @Test("a backup that another stack has restored stays as long as that stack can take the restore back")
    func pinnedByAnother() throws {
        let live = try LiveStackFixture("twin_pinned")
        let name = try live.backup().name.string
        let other = StackIdentity(system: "1", database: "another", artifacts: nil)
        try KeptPart(id: "20261126_020000_7f3a9c01", backup: name, mode: .full, replacedAt: 0, stack: other)
            .write(in: live.folder)
        let made = try live.backup(retention: .count(1))
        #expect(try live.names().contains(name))
        // It was made in 1970, and its stack may be gone.
        let record = "kept-20261126_020000_7f3a9c01.json"
        #expect(
            made.warnings.contains { $0.english.contains(record) && $0.chinese.contains(record) }, "\(made.warnings)")
    }
}
