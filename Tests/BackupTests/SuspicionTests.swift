// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A backup far smaller than those before it pushes nothing out until somebody accepts it", .besideThePool)
struct SuspicionTests {
    @Test("each measure counts: files, bytes, runs and rows, below half of the largest good one or gone")
    func measures() throws {
        let root = try TemporaryFolder("suspicion")
        let folder = BackupFolder(root.path)
        try folder.prepare()
        let stack = StackIdentity(system: "1", database: "mlflow", artifacts: nil)
        func summary(_ files: Int, _ bytes: UInt64, _ runs: Int64?, _ rows: Int64?) -> Manifest.Summary {
            .init(
                mlflowVersion: nil, alembicRevision: nil, experiments: 1, runs: runs, registeredModels: 0, rows: rows,
                files: files, contentBytes: bytes, skipped: 0)
        }
        try DurableFile.replace(folder.path.appending("a.tar.gz"), with: [1, 2, 3])
        try Sidecar(
            name: "a.tar.gz", type: .compressed, status: .completed, reason: nil, size: 3, sha256: "", indexOffset: 0,
            createdAt: 100, verifiedAt: 100, adopted: false, durationSeconds: nil, summary: summary(10, 1000, 5, 200),
            stack: stack
        ).write(in: folder)
        let items = try Catalogue(folder).items()
        func judge(_ new: Manifest.Summary) throws -> Suspicion.Measure? {
            Suspicion.of(new, among: items, try Ownership(of: stack, among: items, in: folder))?.measure
        }
        #expect(try judge(summary(10, 1000, 5, 200)) == nil)
        #expect(try judge(summary(5, 500, 3, 100)) == nil)
        #expect(try judge(summary(4, 1000, 5, 200)) == .files)
        #expect(try judge(summary(10, 499, 5, 200)) == .bytes)
        #expect(try judge(summary(10, 1000, 2, 200)) == .runs)
        #expect(try judge(summary(10, 1000, 5, 99)) == .rows)
        #expect(try judge(summary(10, 1000, nil, nil)) == nil, "what nobody counted is no loss")
    }

    @Test("an accepted one is good, and the measure for those after it")
    func accepting() throws {
        let live = try LiveStackFixture("suspicious_accept")
        try live.letStampsAge()
        _ = try live.backup()
        try Connection(live.database).execute("delete from metrics")
        try Connection(live.database).execute("delete from runs")
        let small = try live.backup()
        #expect(small.suspicious != nil)
        #expect(try live.item(small.name).status == .suspicious)
        _ = try VerifyJob(live.workspace()).run(small.name.string)
        #expect(try live.item(small.name).status == .suspicious, "a good reading does not accept it")
        #expect(throws: BackupError.self) { try AcceptJob(live.workspace()).run("no-such.tar.gz") }
        #expect(try AcceptJob(live.workspace()).run(small.name.string).status == .completed)
        let next = try live.backup(retention: .count(1))
        #expect(next.suspicious == nil)
        #expect(try live.names() == [next.name.string], "now the old ones go")
    }

    @Test(
        "D5: a database made anew has no backups of its own: its first is measured by those of the folder, and removes none"
    )
    func newCluster() throws {
        let live = try LiveStackFixture("suspicious_cluster")
        try live.letStampsAge()
        let old = try live.backup().name
        // As if by another cluster: its system identifier is not ours.
        var sidecar = try live.sidecar(old)
        sidecar.stack?.system = "4711"
        try sidecar.write(in: live.folder)
        try Connection(live.database).execute("delete from metrics")
        try Connection(live.database).execute("delete from runs")
        let outcome = try live.backup(retention: .count(1))
        #expect(outcome.suspicious != nil)
        #expect(outcome.warnings.contains { $0.english.contains("mlflow-backup claim") })
        #expect(try live.inode(outcome.name) != live.inode(old))
        #expect(try live.sidecar(outcome.name).generation == 0, "nothing was taken from another's")
        #expect(try live.names().count == 2)
    }

    @Test("another stack's backups are neither used again nor counted nor removed, by a backup and by prune")
    func foreign() throws {
        let live = try LiveStackFixture("foreign")
        try live.letStampsAge()
        let theirs = try live.backup().name
        var sidecar = try live.sidecar(theirs)
        sidecar.stack?.database = "another"
        try sidecar.write(in: live.folder)
        let ours = try (0..<2).map { _ in try live.backup(retention: .count(1)).name }
        #expect(try live.names() == [ours[1].string, theirs.string])
        #expect(try PruneJob(live.workspace(), rule: .count(1)).run().removed.isEmpty)
        #expect(try live.inode(ours[1]) != live.inode(theirs))
    }

    /// Backups with so many files, made and accepted so many seconds after 1000, in a folder of their own.
    private func judge(
        files: Int, at now: Int64 = 2000, _ kept: [(name: String, files: Int, created: Int64, accepted: Int64?)]
    ) throws -> Suspicion? {
        let root = try TemporaryFolder("suspicion_dates")
        let folder = BackupFolder(root.path)
        try folder.prepare()
        let stack = StackIdentity(system: "1", database: "mlflow", artifacts: nil)
        func summary(_ files: Int) -> Manifest.Summary {
            .init(
                mlflowVersion: nil, alembicRevision: nil, experiments: 1, runs: 1, registeredModels: 0, rows: 1,
                files: files, contentBytes: 1, skipped: 0)
        }
        for one in kept {
            try DurableFile.replace(folder.path.appending(one.name), with: [1, 2, 3])
            var sidecar = Sidecar(
                name: one.name, type: .compressed, status: .completed, reason: nil, size: 3, sha256: "",
                indexOffset: 0, createdAt: 1000 + one.created, verifiedAt: 1000, adopted: false, durationSeconds: nil,
                summary: summary(one.files), stack: stack)
            sidecar.acceptedAt = one.accepted.map { 1000 + $0 }
            try sidecar.write(in: folder)
        }
        let items = try Catalogue(folder).items()
        return Suspicion.of(
            summary(files), among: items, try Ownership(of: stack, among: items, in: folder), now: LocalTime(epoch: now)
        )
    }

    @Test("an acceptance of one that is dated in the future, or from the future, changes nothing")
    func acceptedAhead() throws {
        #expect(try judge(files: 0, [("a.tar.gz", 10, 0, nil), ("b.tar.gz", 0, 5000, 900)])?.than == "a.tar.gz")
        #expect(try judge(files: 0, [("a.tar.gz", 10, 0, nil), ("b.tar.gz", 0, 500, 9000)])?.than == "a.tar.gz")
        #expect(try judge(files: 0, [("a.tar.gz", 10, 0, nil), ("b.tar.gz", 0, 500, 900)]) == nil)
        // What is dated in the future is after no acceptance.
        #expect(try judge(files: 1, [("a.tar.gz", 10, 5000, nil), ("b.tar.gz", 1, 500, 900)]) == nil)
        #expect(try judge(files: 1, [("a.tar.gz", 10, 5000, nil)]) != nil, "it is all that there is")
    }

    @Test("the acceptance that came last is the one that counts, whatever the dates of the backups are")
    func lastAcceptance() throws {
        let kept: [(name: String, files: Int, created: Int64, accepted: Int64?)] = [
            ("a.tar.gz", 10, 0, 800), ("b.tar.gz", 1, 500, 600),
        ]
        #expect(try judge(files: 1, kept)?.than == "a.tar.gz")
    }

    enum Loss: CaseIterable { case deleted, deletedAtOnce, damaged, sidecarLost }

    @Test(
        "what a person accepted is the measure also when the accepted one is gone, and our own state with it",
        arguments: Loss.allCases)
    func acceptedAndLost(loss: Loss) throws {
        let live = try LiveStackFixture("suspicious_gone_\(loss)")
        try live.letStampsAge()
        let large = try live.backup(retention: .count(10)).name
        try Connection(live.database).execute("delete from metrics")
        try Connection(live.database).execute("delete from runs where run_uuid not in ('run1', 'run2')")
        try Shell.sh("cd '\(live.artifacts)/1' && ls | grep -vx -e run1 -e run2 | xargs rm -rf")
        let small = try live.backup(retention: .count(10)).name
        try AcceptJob(live.workspace()).run(small.string)
        if loss == .deleted { #expect(try live.backup(retention: .count(10)).suspicious == nil) }
        switch loss {
        case .deleted, .deletedAtOnce: _ = try DeleteJob(live.workspace()).run(small.string)
        case .damaged:
            var sidecar = try live.sidecar(small)
            sidecar.status = .corrupt
            try sidecar.write(in: live.folder)
        case .sidecarLost: try Directory.remove(live.folder.path.appending(small.sidecar))
        }
        try Directory.removeTree(live.folder.state)
        #expect(try live.names().contains(large.string))
        for _ in 0..<2 {
            let next = try live.backup(retention: .count(10))
            #expect(next.suspicious == nil, "\(next.suspicious?.english ?? "")")
        }
        try Shell.sh("rm -rf '\(live.artifacts)/1'")
        #expect(try live.backup(retention: .count(10)).suspicious != nil, "it is measured all the same")
    }

    @Test("a good one that a person accepts is the measure from then on, also after another one was")
    func acceptingAGoodOne() throws {
        let live = try LiveStackFixture("suspicious_again")
        try live.letStampsAge()
        let good = try live.backup(retention: .count(10)).name
        try Connection(live.database).execute("delete from metrics")
        try Connection(live.database).execute("delete from runs")
        let small = try live.backup(retention: .count(10)).name
        try AcceptJob(live.workspace()).run(small.string)
        var sidecar = try live.sidecar(small)
        sidecar.acceptedAt = LocalTime.now().epoch - 5
        try sidecar.write(in: live.folder)
        #expect(try AcceptJob(live.workspace()).run(good.string).status == .completed)
        #expect(try live.sidecar(good).acceptedAt != nil)
        #expect(try live.backup(retention: .count(10)).suspicious != nil)
    }

    @Test(
        "sidecars that were lost: an emptied stack is measured by its own backups, adopted or not read yet",
        arguments: [true, false])
    func lostSidecars(verified: Bool) throws {
        let live = try LiveStackFixture("suspicious_lost_\(verified)")
        try live.letStampsAge()
        let old = try live.backup().name
        try Directory.remove(live.folder.path.appending(old.string + BackupName.sidecarSuffix))
        if verified { _ = try VerifyJob(live.workspace()).run(old.string) }
        try Shell.sh("rm -rf '\(live.artifacts)/1'")
        let outcome = try live.backup()
        #expect(outcome.suspicious?.english.contains(old.string) == true)
        #expect(try live.item(outcome.name).status == .suspicious)
        try AcceptJob(live.workspace()).run(outcome.name.string)
        #expect(try live.backup().suspicious == nil, "it has one of its own now")
    }

    @Test("an archive of another database that a person put here measures nothing")
    func foreignArchive() throws {
        let other = try LiveStackFixture("suspicious_other")
        let theirs = try other.backup().name
        let live = try LiveStackFixture("suspicious_guest")
        try live.letStampsAge()
        try Shell.sh("cp '\(other.folder.path)/\(theirs)' '\(live.folder.path)/'; rm -rf '\(live.artifacts)/1'")
        _ = try VerifyJob(live.workspace()).run(theirs.string)
        #expect(try live.backup().suspicious == nil)
    }
}
