// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "Where files can share blocks, the kept tree and the live one are independent",
    .enabled(if: geteuid() == 0, "mounting a file system needs root"), .besideThePool)
struct KeptCloneTests {
    /// A stack whose artifacts are on xfs, with a backup.
    private func onReflinks(
        _ name: String, megabytes: Int = 2, _ body: (LiveStackFixture, _ backup: String) throws -> Void
    ) throws {
        let live = try LiveStackFixture(name)
        let image = live.root.path.appending("image")
        try Shell.sh(
            "mv '\(live.artifacts)' '\(live.artifacts)-before' && mkdir '\(live.artifacts)' && truncate -s 400M '\(image)' "
                + "&& mkfs.xfs -q -m reflink=1 '\(image)' && mount -o loop '\(image)' '\(live.artifacts)' "
                + "&& cp -a '\(live.artifacts)-before/.' '\(live.artifacts)'")
        defer { _ = try? Shell.sh("umount '\(live.artifacts)'") }
        try OpenFile(live.artifacts.appending("1/weights"), .createNew(mode: 0o644)).write(
            Noise.bytes(megabytes << 20))
        // Only what has not been written to for two seconds is taken over.
        sleep(3)
        try body(live, try live.backup().name.string)
    }

    private func tree(_ live: LiveStackFixture, _ part: KeptPart?) throws -> FilePath {
        KeptParts(live.stack, live.folder).tree(of: try #require(part))
    }

    @Test("a write in place after a restore changes the live file alone, and the undo brings back the other")
    func independent() throws {
        try onReflinks("clone_independent") { live, name in
            let noted = live.artifacts.appending("1/run3/artifacts/model.bin")
            let attribute = OpenFile.Attribute(name: Array("user.note".utf8), value: [1, 2])
            #expect(try OpenFile(noted, .readWrite(create: 0o644)).set(attribute))
            try Shell.sh("chmod 640 '\(live.artifacts)/1/weights'")
            sleep(3)
            let name = try live.backup().name.string
            try Shell.sh("rm -r '\(live.artifacts)/1/run9'")
            let (before, rows) = (try live.files(), try live.rows())
            let look = "cd '\(live.artifacts)' && stat -c '%n %a %U %y' $(ls -d 1/weights 1/run[1-8]*/artifacts/*)"
            let looks = try Shell.sh(look)
            let outcome = try live.restore(name)
            #expect(outcome.unchanged == 20)
            let kept = try tree(live, outcome.kept)
            for path in ["1/run3/artifacts/model.bin", "1/weights"] {
                let (one, two) = try (
                    FileStatus.of(live.artifacts.appending(path)), FileStatus.of(kept.appending(path))
                )
                #expect(one.inode != two.inode && one.linkCount == 1 && two.linkCount == 1)
            }
            #expect(try Shell.sh(look) == looks)
            #expect(try OpenFile(noted, .read).userAttributes() == [attribute])
            let part = try #require(outcome.kept)
            let shown = try KeptSizes(KeptParts(live.workspace()), Databases(live.database), [part])[part]
            #expect(shown.files < 1 << 20, "shared blocks are not the kept tree's alone: \(shown)")
            try Shell.sh("printf clobbered | dd of='\(live.artifacts)/1/weights' conv=notrunc status=none")
            #expect(try Shell.sh("head -c 9 '\(kept)/1/weights'") != "clobbered")
            #expect(throws: BackupError.self) { try live.undo() }
            try live.undo(force: true)
            #expect(try live.files() == before)
            #expect(try live.rows() == rows)
            try live.expectNothingLeftBehind()
        }
    }

    @Test("a second restore takes over what the first one did, and the kept part goes when its time is over")
    func again() throws {
        try onReflinks("clone_again") { live, name in
            let files = try live.files()
            try live.restore(name)
            sleep(3)
            #expect(try live.restore(name).unchanged == 21)
            #expect(try live.keptIDs().count == 2)
            try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
            #expect(try live.keptIDs().isEmpty)
            #expect(try live.files() == files)
            try live.expectNothingLeftBehind()
        }
    }

    @Test("an undo can be undone, although xfs changes the times of folders that are exchanged")
    func backAndForth() throws {
        try onReflinks("clone_undo") { live, name in
            let restored = try live.files()
            try Shell.sh("echo more > '\(live.artifacts)/1/run3/more'; rm -r '\(live.artifacts)/1/run9'")
            let before = try live.files()
            try live.restore(name, force: true)
            try live.undo()
            #expect(try live.files() == before)
            try live.undo()
            #expect(try live.files() == restored)
            try live.undo()
            let aside = live.root.path.appending("model")
            try Shell.sh("mkdir '\(aside)' && echo weights > '\(aside)/w' && mv '\(aside)' '\(live.artifacts)'")
            #expect(throws: BackupError.self) { try live.undo() }
        }
    }

    /// Each is done to `$1` while the database is loaded: its clone has been made by then.
    @Test(
        "what is written to a live file after it was cloned is found by the last comparison, and kept where forced",
        arguments: [
            "printf new! | dd of=\"$1\" conv=notrunc status=none",
            "printf new! | dd of=\"$1\" conv=notrunc status=none; touch -r \"$2\" \"$1\"",
        ])
    func writtenMeanwhile(script: String) throws {
        try onReflinks("clone_written") { live, name in
            let path = live.artifacts.appending("1/run3/artifacts/model.bin")
            let other = live.artifacts.appending("1/run4/artifacts/model.bin")
            let files = try live.files()
            let work = script.replacing("$1", with: path.string).replacing("$2", with: other.string)
            for force in [false, true] {
                let done = Monitor(false)
                let outcome = Result {
                    try live.restore(name, force: force) { progress in
                        guard progress.phase == .loading else { return }
                        done.withLock {
                            if !$0 { _ = try? Shell.sh(work) }
                            $0 = true
                        }
                    }
                }
                guard force else {
                    let error = #expect(throws: BackupError.self) { try outcome.get() }
                    guard case .newerData(_, let newer)? = error else {
                        Issue.record("\(String(describing: error))")
                        return
                    }
                    #expect(newer.findings.contains { $0.english.contains("run3/artifacts/model.bin") }, "\(newer)")
                    #expect(try Shell.sh("head -c 4 '\(path)'") == "new!")
                    continue
                }
                let restored = try outcome.get()
                #expect(restored.replaced.total == 1)
                #expect(try live.files() == files)
                let kept = try tree(live, restored.kept).appending("1/run3/artifacts/model.bin")
                #expect(try Shell.sh("head -c 4 '\(kept)'") == "new!")
            }
            try live.expectNothingLeftBehind()
        }
    }

    @Test("a file that was written to too lately is written again, whatever its own time says")
    func tooLate() throws {
        try onReflinks("clone_late") { live, name in
            let path = live.artifacts.appending("1/run3/artifacts/model.bin")
            let time = try Shell.sh("stat -c %y '\(path)'").replacing("\n", with: "")
            try Shell.sh("printf model | dd of='\(path)' conv=notrunc status=none; touch -d '\(time)' '\(path)'")
            #expect(try live.restore(name).unchanged == 20)
        }
    }
}
