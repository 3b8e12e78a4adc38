// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("A restore does not write again what is right already")
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
        #expect(outcome.kept == 19)
        #expect(try FileStatus.of(same).inode == inode)
        #expect(try FileStatus.of(same).linkCount == 1)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
        letStampsAge()
        try live.restore(try live.backup().name.string, force: true)
        #expect(try live.files() == files)
    }

    @Test("a write into a kept file before the swap stops the restore, and the write is not lost")
    func writtenMeanwhile() throws {
        let live = try LiveStackFixture("kept_written")
        letStampsAge()
        let made = try live.backup()
        let victim = live.artifacts.appending("1/run3/artifacts/model.bin")
        let rows = try live.rows()
        #expect(throws: BackupError.changedMeanwhile(path: "1/run3/artifacts/model.bin")) {
            try live.restore(made.name.string, force: true) { progress in
                guard progress.phase == .loading, let file = try? OpenFile(victim, .readWrite(create: 0o644)) else {
                    return
                }
                _ = try? file.write(Array("new!".utf8))
            }
        }
        #expect(try OpenFile(victim, .read).readAll().starts(with: "new!".utf8))
        #expect(try live.rows() == rows)
        try live.expectNothingLeftBehind()
        #expect(try FileStatus.of(victim).linkCount == 1)
        // Tried again, it is written from the backup.
        try live.restore(made.name.string, force: true)
        #expect(try !OpenFile(victim, .read).readAll().starts(with: "new!".utf8))
    }
}
