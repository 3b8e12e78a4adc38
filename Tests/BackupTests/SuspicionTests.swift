// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("A backup far smaller than those before it pushes nothing out until somebody accepts it")
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
        let good = try live.backup().name
        try Connection(live.database).execute("delete from metrics")
        try Connection(live.database).execute("delete from runs")
        let small = try live.backup()
        #expect(small.suspicious != nil)
        #expect(try live.item(small.name).status == .suspicious)
        _ = try VerifyJob(live.workspace()).run(small.name.string)
        #expect(try live.item(small.name).status == .suspicious, "a good reading does not accept it")
        #expect(throws: BackupError.self) { try AcceptJob(live.workspace()).run("no-such.tar.gz") }
        #expect(try AcceptJob(live.workspace()).run(small.name.string).status == .completed)
        #expect(try AcceptJob(live.workspace()).run(good.string).status == .completed)
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
}
