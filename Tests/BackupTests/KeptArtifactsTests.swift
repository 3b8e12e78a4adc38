// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("A restore does not write again what is right already", .besideThePool)
struct KeptArtifactsTests {
    /// Files younger than two seconds are not kept.
    private func letStampsAge() { sleep(3) }

    @Test("deleted files come back, the others stay the files they are, and the next backup is good")
    func onlyWhatIsMissing() throws {
        let live = try LiveStackFixture("kept_missing")
        letStampsAge()
        let made = try live.backup()
        let files = try live.files()
        let same = live.artifacts.appending("1/run3/artifacts/model.bin")
        let inode = try FileStatus.of(same).inode
        try Directory.removeTree(live.artifacts.appending("1/run7"))
        let outcome = try live.restore(made.name.string)
        #expect(outcome.files == 20)
        #expect(outcome.unchanged == 19)
        // The tree that was replaced is kept, and shares what was right already: the files, or their blocks.
        let clones = FileSystem.sharesBlocks(in: live.root.path)
        #expect(try (FileStatus.of(same).inode != inode) == clones)
        #expect(try FileStatus.of(same).linkCount == (clones ? 1 : 2))
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
        letStampsAge()
        try live.restore(try live.backup().name.string, force: true)
        #expect(try live.files() == files)
    }

    @Test("a restore keeps the files that it shares with what earlier restores kept, and each undo finds its own bytes")
    func sharedWithKept() throws {
        let live = try LiveStackFixture("kept_shared")
        letStampsAge()
        let made = try live.backup()
        let files = try live.files()
        for _ in 0..<3 { #expect(try live.restore(made.name.string, force: true).unchanged == 20) }
        #expect(try live.files() == files)
        let victim = live.artifacts.appending("1/run3/artifacts/model.bin")
        try Shell.sh("printf new! | dd of='\(victim)' conv=notrunc status=none")
        #expect(try live.restore(made.name.string, force: true).unchanged == 19)
        #expect(try live.files() == files)
        for part in try KeptParts(live.workspace()).all().dropFirst() { try ForgetJob(live.workspace()).run(part.id) }
        // Tied to a file that no restore of ours knows, it is two files in one.
        try Directory.link(victim, as: live.root.path.appending("outside"))
        #expect(try live.restore(made.name.string, force: true).unchanged == 19)
        try live.expectNothingLeftBehind()
    }

    /// Without what the restore has prepared so far.
    private func liveFiles(_ live: LiveStackFixture) throws -> String {
        try Shell.sh(
            "cd '\(live.artifacts)' && find . -path ./.mlflow-backup-restore -prune -o -type f ! -name .mlflow-backup-stack -print0 | sort -z | xargs -0 sha256sum"
        )
    }

    /// Each is done to `$1` while the database is loaded: the file is kept by then, and has a second name. Where it is cloned
    /// instead, `KeptCloneTests` has its like.
    @Test(
        "whatever is done to a kept file before the swap stops the restore, and is not undone by it",
        .enabled(if: !FileSystem.sharesBlocks(in: "/tmp")),
        arguments: [
            "printf new! | dd of=\"$1\" conv=notrunc status=none",
            // What MLflow does: the copy has an old time.
            "head -c 4000 /dev/urandom > \"$2\"; touch -d 2001-01-01 \"$2\"; cat \"$2\" > \"$1\"; touch -r \"$2\" \"$1\"",
            "printf new! | dd of=\"$1\" conv=notrunc status=none; touch -r \"$1/../../../run4/artifacts/model.bin\" \"$1\"",
            "printf half > \"$1\"; rm \"$1\"",
            "printf half > \"$1\"; printf other > \"$2\"; mv \"$2\" \"$1\"",
        ])
    func changedMeanwhile(script: String) throws {
        let live = try LiveStackFixture("kept_changed_\(script.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff })")
        letStampsAge()
        let made = try live.backup()
        let victim = live.artifacts.appending("1/run3/artifacts/model.bin")
        let (rows, files) = (try live.rows(), try live.files())
        let work = script.replacing("$1/../../..", with: "\(live.artifacts.appending("1"))")
            .replacing("$1", with: victim.string).replacing("$2", with: live.root.path.appending("aside").string)
        let done = Monitor<String?>(nil)
        #expect(throws: BackupError.changedMeanwhile(path: "1/run3/artifacts/model.bin")) {
            try live.restore(made.name.string, force: true) { progress in
                guard progress.phase == .loading else { return }
                done.withLock { if $0 == nil { $0 = (try? Shell.sh(work)).map { _ in (try? liveFiles(live)) ?? "" } } }
            }
        }
        #expect(try liveFiles(live) == done.withLock { $0 })
        #expect(try live.files() != files)
        #expect(try live.rows() == rows)
        try live.expectNothingLeftBehind()
        // Tried again, everything is as it was.
        try live.restore(made.name.string, force: true)
        #expect(try live.files() == files)
    }

    @Test("a file with two names in the backup of which one is left is kept, and has two again")
    func secondNames() throws {
        let live = try LiveStackFixture("kept_names")
        let (one, two) = (live.artifacts.appending("1/run3/artifacts/model.bin"), live.artifacts.appending("1/again"))
        try Directory.link(one, as: two)
        letStampsAge()
        let made = try live.backup()
        let files = try live.files()
        try Directory.remove(one)
        let outcome = try live.restore(made.name.string, force: true)
        #expect(outcome.files == 20 && outcome.unchanged == 20, "\(outcome.files) \(outcome.unchanged)")
        #expect(try live.files() == files)
        #expect(try FileStatus.of(one).inode == FileStatus.of(two).inode)
    }

    @Test(
        "on a disk with too little room for a second copy, what is missing is brought back; where most is, it is refused",
        .enabled(if: geteuid() == 0, "mounting a small file system needs root"))
    func littleRoom() throws {
        let live = try LiveStackFixture("kept_room")
        try Shell.sh("mount -t tmpfs -o size=24m none '\(live.artifacts)'")
        defer { _ = try? Shell.sh("umount '\(live.artifacts)'") }
        for number in 0..<4 {
            try OpenFile(live.artifacts.appending("w\(number)"), .createNew(mode: 0o644)).write(Noise.bytes(4 << 20))
        }
        // A dump larger than the room, which lies elsewhere: it does not count.
        try Connection(live.database).execute(
            "insert into metrics select 'many', n, 1790000000000 + n, n, 'run1' from generate_series(1, 500000) n")
        letStampsAge()
        let made = try live.backup()
        let files = try live.files()
        try Directory.remove(live.artifacts.appending("w1"))
        #expect(try live.restore(made.name.string).unchanged == 3)
        #expect(try live.files() == files)
        // The stamps promise three kept files, and the bytes of none are right.
        for number in 0..<4 {
            try Shell.sh(
                "f='\(live.artifacts)/w\(number)'; touch -r $f $f.t; printf X | dd of=$f conv=notrunc status=none; touch -r $f.t $f; rm $f.t"
            )
        }
        let before = try live.files()
        let error = #expect(throws: BackupError.self) { try live.restore(made.name.string, force: true) }
        if case .notEnoughRoom? = error {} else { Issue.record("\(String(describing: error))") }
        #expect(try live.files() == before)
        try live.expectNothingLeftBehind()
    }
}
