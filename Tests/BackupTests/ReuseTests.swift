// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A backup takes over what the one before holds unchanged", .besideThePool)
struct ReuseTests {
    /// Stamps younger than two seconds before a walk prove nothing, so these tests let their files grow older.
    private func letStampsAge() { sleep(3) }

    private func sidecar(_ outcome: BackupOutcome, in live: LiveStackFixture) throws -> Sidecar {
        try #require(try Catalogue(live.folder).item(named: outcome.name.string).sidecar)
    }

    @Test("where nothing changed it is another name of the same file, listed, verified and restored like any other")
    func unchanged() throws {
        let live = try LiveStackFixture("reuse_same")
        letStampsAge()
        let first = try live.backup()
        let second = try live.backup()
        #expect(try FileStatus.of(first.path).inode == FileStatus.of(second.path).inode)
        #expect(try live.names() == [second.name.string, first.name.string])
        #expect(try sidecar(second, in: live).createdAt > sidecar(first, in: live).createdAt)
        #expect(try sidecar(second, in: live).verifiedAt == sidecar(first, in: live).verifiedAt)

        let (rows, files) = (try live.rows(), try live.files())
        try Catalogue(live.folder).remove(try Catalogue(live.folder).item(named: first.name.string))
        try Connection(live.database).execute("delete from metrics")
        try Directory.removeTree(live.artifacts.appending("1/run7"))
        try live.restore(second.name.string)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
    }

    @Test("a value changed in the database alone makes an archive of its own, with the artifacts taken over")
    func databaseChanged() throws {
        let live = try LiveStackFixture("reuse_row")
        try OpenFile(live.artifacts.appending("weights"), .createNew(mode: 0o644)).write(Noise.bytes(9 << 20))
        letStampsAge()
        let first = try live.backup()
        try Connection(live.database).execute("update metrics set value = 17 where run_uuid = 'run3'")
        let rows = try live.rows()
        let second = try live.backup()
        #expect(try FileStatus.of(first.path).inode != FileStatus.of(second.path).inode)
        #expect(second.sharing.copied + second.sharing.cloned > 9 << 20)
        try Connection(live.database).execute("update metrics set value = 18")
        try live.restore(second.name.string, force: true)
        #expect(try live.rows() == rows)
    }

    @Test("new runs cost what is new, and everything comes back")
    func newRuns() throws {
        let live = try LiveStackFixture("reuse_runs")
        try OpenFile(live.artifacts.appending("weights"), .createNew(mode: 0o644)).write(Noise.bytes(9 << 20))
        letStampsAge()
        _ = try live.backup()
        try live.add(runs: 21...25)
        let (rows, files) = (try live.rows(), try live.files())
        let second = try live.backup()
        #expect(second.manifest.artifacts.files == 26)
        #expect(second.sharing.generation == 1)
        #expect(second.sharing.copied + second.sharing.cloned > 9 << 20)
        try Connection(live.database).execute("delete from metrics")
        try Directory.removeTree(live.artifacts.appending("1"))
        try live.restore(second.name.string)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
    }

    @Test("every so many backups one takes nothing over")
    func independentFull() throws {
        let live = try LiveStackFixture("reuse_full")
        letStampsAge()
        var generations: [Int] = []
        var inodes: [UInt64] = []
        for _ in 0..<5 {
            let outcome = try BackupJob(live.workspace(), options: .init(fullEvery: 3), version: "test").run()
            generations.append(outcome.sharing.generation)
            inodes.append(try FileStatus.of(outcome.path).inode)
        }
        #expect(generations == [0, 1, 2, 0, 1])
        #expect(Set(inodes).count == 2)
    }

    @Test("a base that rotted is marked corrupt, and the new backup is made wholly from the live data")
    func rottenBase() throws {
        let live = try LiveStackFixture("reuse_rot")
        try OpenFile(live.artifacts.appending("weights"), .createNew(mode: 0o644)).write(Noise.bytes(9 << 20))
        letStampsAge()
        let first = try live.backup()
        let size = try FileStatus.of(first.path).size
        try Shell.sh("printf XXXX | dd of='\(first.path)' bs=1 seek=\(size / 2) conv=notrunc status=none")
        try live.add(runs: 21...21)
        let (rows, files) = (try live.rows(), try live.files())
        let second = try live.backup()
        #expect(second.sharing == .init(cloned: 0, copied: 0, generation: 0))
        let catalogue = Catalogue(live.folder)
        #expect(try catalogue.item(named: first.name.string).status == .corrupt)
        #expect(try catalogue.item(named: first.name.string).reason?.english.contains("artifacts/weights") == true)
        #expect(try catalogue.item(named: second.name.string).status == .completed)
        try Directory.removeTree(live.artifacts.appending("1"))
        try live.restore(second.name.string)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
    }

    @Test("uncompressed backups share unchanged files with each other, and never with the live tree")
    func folders() throws {
        let live = try LiveStackFixture("reuse_folder")
        letStampsAge()
        let first = try live.backup(.uncompressed)
        try live.add(runs: 21...21)
        let files = try live.files()
        let second = try live.backup(.uncompressed)
        let path = "artifacts/1/run5/artifacts/model.bin"
        let inode = try FileStatus.of(second.path.appending(path)).inode
        #expect(try FileStatus.of(first.path.appending(path)).inode == inode)
        #expect(try FileStatus.of(live.root.path.appending(path)).inode != inode)
        #expect(second.sharing.cloned > 0)
        try Directory.removeTree(live.artifacts.appending("1"))
        try live.restore(second.name.string)
        #expect(try live.files() == files)
    }
}

/// Bytes that do not compress.
enum Noise {
    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let words = (0..<((count + 7) / 8)).map { _ in generator.next() as UInt64 }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }
}
