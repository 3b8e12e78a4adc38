// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "What a backup would fail of in its folders is known before, and the look leaves nothing",
    .enabled(if: geteuid() == 0, "mounting needs root"), .besideThePool)
struct FolderTrialTests {
    private func look(_ live: LiveStackFixture) -> Findings {
        BackupPreflight(live.workspace(), options: .init()).run()
    }

    private func code(_ error: (any Error)?) -> String? { (error as? BackupError)?.errorCode }

    private func listing(_ live: LiveStackFixture) throws -> String {
        try Shell.sh("find '\(live.folder.path)' | sort")
    }

    /// Both say the same, and nothing was made.
    private func expect(_ wanted: String, _ words: String, _ live: LiveStackFixture, _ ground: String) throws {
        let before = try listing(live)
        let found = look(live).obstacles.first
        #expect(code(found) == wanted, "\(ground): \(String(describing: found))")
        #expect(found?.bilingual.english.contains(words) == true, "\(ground): \(found?.bilingual.english ?? "")")
        #expect(try listing(live) == before, "\(ground)")
        let thrown = #expect(throws: (any Error).self, "\(ground)") {
            _ = try BackupJob(live.workspace(), options: .init(), version: "t").run()
        }
        #expect(thrown?.bilingual == found?.bilingual, "\(ground): \(String(describing: thrown))")
    }

    @Test("things of another kind, other mounts and attributes: the look says what the job says")
    func grounds() throws {
        let live = try LiveStackFixture("trial")
        try live.backup()
        let (path, state, staging) = (live.folder.path, live.folder.state, live.folder.staging)
        let grounds: [(name: String, begin: String, end: String, code: String, words: String)] = [
            (
                "staging is a file", "rm -r '\(staging)' && touch '\(staging)'",
                "rm '\(staging)' && mkdir -m 700 '\(staging)'",
                "state-not-usable", "\(staging) is not the kind"
            ),
            (
                "lock is a folder", "rm '\(live.folder.lock)' && mkdir '\(live.folder.lock)'",
                "rmdir '\(live.folder.lock)'",
                "state-not-usable", "\(live.folder.lock) is not the kind"
            ),
            (
                "state is another mount", "mount --bind '\(state)' '\(state)'", "umount '\(state)'",
                "state-not-usable", "is not on the mount"
            ),
            (
                "staging is a link to another disk",
                "rm -rf '\(staging)' && mkdir -p /dev/shm/'\(path)' && ln -s /dev/shm/'\(path)' '\(staging)'",
                "rm '\(staging)' && rm -r /dev/shm/'\(path)'", "state-not-usable", "is not on the mount"
            ),
            (
                "state is a file", "mv '\(state)' '\(path)/aside' && touch '\(state)'",
                "rm '\(state)' && mv '\(path)/aside' '\(state)'", "state-not-usable", "\(state) is not the kind"
            ),
            (
                "staging is a link to nothing", "rm -rf '\(staging)' && ln -s nowhere '\(staging)'",
                "rm '\(staging)'", "state-not-usable", "\(staging) is not the kind"
            ),
            (
                "append-only", "chattr +a '\(path)'", "chattr -a '\(path)'", "backup-folder-write-protected",
                "append-only"
            ),
        ]
        for ground in grounds {
            try Shell.sh(ground.begin)
            defer { _ = try? Shell.sh(ground.end) }
            try expect(ground.code, ground.words, live, ground.name)
        }
        #expect(look(live).obstacles.isEmpty)
        // A file in the place of our folder among the artifacts is a client's, and is in nobody's way.
        let own = live.artifacts.appending(ArtifactSwap.folderName)
        try Shell.sh("echo theirs > '\(own)'")
        let kept = try live.restore(try live.backup().name.string, .artifacts, force: true).kept
        let moved = try KeptParts(live.workspace()).tree(of: #require(kept)).appending(ArtifactSwap.folderName + ".1")
        #expect(try Shell.sh("cat '\(moved)'") == "theirs\n")
        let file = live.root.path.appending("file")
        try Shell.sh("touch '\(file)'")
        let found = BackupPreflight(live.workspace(folder: BackupFolder(file)), options: .init()).run()
        #expect(code(found.obstacles.first) == "folder-not-usable", "\(found.obstacles)")
    }

    @Test(
        "a folder that is not there yet is looked at and not made; one whose path is too long, or that may not be made, is refused"
    )
    func notThere() throws {
        let live = try LiveStackFixture("trial_new")
        let new = live.root.path.appending("new/folder")
        let workspace = live.workspace(folder: BackupFolder(new))
        #expect(BackupPreflight(workspace, options: .init()).run().obstacles.isEmpty)
        #expect(try PruneJob(workspace, rule: .count(1)).preview().isEmpty)
        #expect(try FileStatus.ifPresent(new.parent) == nil)
        var long = live.root.path
        while long.bytes.count < 3810 { long = long.appending(String(repeating: "x", count: 200)) }
        let found = BackupPreflight(live.workspace(folder: BackupFolder(long)), options: .init()).run()
        #expect(code(found.obstacles.first) == "folder-not-usable")
        try Shell.sh("chmod 755 '\(live.root.path)' && chown -R 4242:4242 '\(live.artifacts)'")
        let denied = try OrdinaryUser.run(4242) { BackupPreflight(workspace, options: .init()).run() }
        #expect(code(denied.obstacles.first) == "folder-not-usable", "\(denied.obstacles)")
    }

    @Test("what is closed to an ordinary user is named with the command that opens it, and nothing else is said of it")
    func closed() throws {
        let live = try LiveStackFixture("trial_closed")
        let name = try live.backup().name.string
        try Shell.sh("chown -R 4242:4242 '\(live.root.path)' && chown 0:0 '\(live.folder.staging)'")
        try OrdinaryUser.run(4242) {
            try expect("state-not-usable", "chown -R 4242:4242 '\(live.folder.staging)'", live, "staging of root's")
            let error = #expect(throws: BackupError.self) { try live.restore(name, .database, force: true) }
            #expect(error?.explanation.english.contains("chown -R 4242:4242 '\(live.folder.staging)'") == true)
        }
        try Shell.sh(
            "chown 4242:4242 '\(live.folder.staging)' && chown 0:0 '\(live.artifacts)' && chmod 700 '\(live.artifacts)'"
        )
        try OrdinaryUser.run(4242) {
            try expect("artifacts-unreadable", "'\(live.artifacts)'", live, "artifacts of root's")
            let findings = look(live)
            let kept = #expect(throws: BackupError.self) { try KeptParts(live.workspace()).all() }
            #expect(kept?.errorCode == "artifacts-unreadable")
            #expect(findings.obstacles.count == 1, "\(findings.obstacles)")
            #expect(!findings.all.contains { $0.text.english.contains("is gone") }, "\(findings.notices)")
        }
        try Shell.sh(
            "chown 4242:4242 '\(live.artifacts)' && chown 0:0 '\(live.folder.state)' && chmod 755 '\(live.folder.state)'"
        )
        try OrdinaryUser.run(4242) {
            try expect(
                "backup-folder-write-protected", "chown -R 4242:4242 '\(live.folder.state)'", live, "state of root's")
        }
        // An identifier that may not be read is as one that is not there; a closed lock keeps nobody from reading.
        try Shell.sh(
            "cd '\(live.folder.state)' && chown 4242 . && chmod 600 id lock && chown 0:0 id lock && chown -R 4242 '\(live.artifacts)'"
        )
        try OrdinaryUser.run(4242) {
            #expect(try live.folder.madeID() == nil)
            _ = try VerifyJob(live.workspace()).run(name)
        }
        try Shell.sh("chown -R 0:0 '\(live.root.path)'")
    }

    @Test("a mount inside the artifacts that does not answer is named within seconds, by whoever asks")
    func silentInside() throws {
        try MountedFileSystem.Kind.sshfs.mustBeHere()
        let live = try LiveStackFixture("trial_silent")
        let mounted = try MountedFileSystem(.sshfs)
        let point = live.artifacts.appending("9")
        try Directory.make(point)
        try Shell.sh("mount --bind '\(mounted.path)' '\(point)'")
        defer { _ = try? Shell.sh("umount -l '\(point)'") }
        let name = try live.backup().name
        try mounted.setSilent(true)
        defer { try? mounted.setSilent(false) }
        while case .answered = FolderPulse.look(at: point, atMost: 0.2) { usleep(50_000) }
        let start = MonotonicTime.nanoseconds()
        let found = BackupPreflight(live.workspace(), options: .init(), patience: 1).run()
        #expect(found.silence?.text.english.contains(point.string) == true, "\(found.obstacles)")
        let restore = RestorePreflight(live.workspace(), options: .init()).run(
            try live.item(name), .request(newerWithin: 1))
        #expect(code(restore.obstacles.first) == "folder-silent", "\(restore.obstacles)")
        // The database alone goes nowhere there.
        let database = RestorePreflight(live.workspace(), options: .init(mode: .database, force: true)).run(
            try live.item(name), .request(newerWithin: 1))
        #expect(database.obstacles.isEmpty, "\(database.obstacles)")
        #expect(MonotonicTime.seconds(since: start) < 15)
        // Nor does one whose process is gone hold anybody up, but for the walk that would end there.
        try mounted.breakOff()
        try mounted.setSilent(false)
        try Patience.wait("the mount to break off", atMost: 30) {
            if case .silent = FolderPulse.look(at: point, atMost: 0.2) { false } else { true }
        }
        #expect(look(live).silence?.text.english.contains(point.string) == true)
    }

    @Test("what has the mark's name and is no file makes no backup fail; artifacts that cannot be marked are told of")
    func oddMarks() throws {
        let live = try LiveStackFixture("trial_mark")
        let mark = live.artifacts.appending(ArtifactsMark.fileName)
        for command in ["mkfifo '\(mark)'", "mkdir '\(mark)' && touch '\(mark)/x'"] {
            try Shell.sh("rm -rf '\(mark)' && \(command)")
            #expect(look(live).obstacles.isEmpty, "\(command)")
            try live.backup()
            #expect(try ArtifactsMark.read(in: live.artifacts) != nil)
        }
        // What a client put there is not lost.
        #expect(try FileStatus.of(live.artifacts.appending(ArtifactsMark.fileName + ".1/x")).kind == .file)
        try Shell.sh("rm -rf '\(mark)'")
        try ReadOnlyMount.make(over: live.artifacts)
        defer { _ = try? Shell.sh("umount '\(live.artifacts)'") }
        #expect(look(live).notices.contains { $0.english.contains("cannot be marked") })
        // As where the two settings were exchanged.
        let swapped = Workspace(
            live.stack(artifacts: live.folder.path), BackupFolder(live.root.path.appending("b2")), log: .silent)
        let notices = BackupPreflight(swapped, options: .init()).run().notices
        #expect(notices.contains { $0.english.contains("wrong way round") }, "\(notices)")
    }

    @Test("on a full disk a reading says what it found, and that it is not recorded")
    func fullDisk() throws {
        let live = try LiveStackFixture("trial_full")
        let folder = BackupFolder(live.root.path.appending("small"))
        try live.mounting("size=2m", on: folder.path) {
            let workspace = live.workspace(folder: folder)
            let name = try BackupJob(workspace, options: .init(), version: "t").run().name
            _ = try? Shell.sh("cat /dev/zero > '\(folder.path)/filler' 2>&1")
            let outcome = try VerifyJob(workspace).run(name.string)
            #expect(outcome.notes.contains { $0.english.contains("not recorded") && $0.english.contains("No space") })
            let path = folder.path.appending(name.string)
            try Shell.invertByte(of: path, at: 3000)
            let error = #expect(throws: (any Error).self) { try VerifyJob(workspace).run(name.string) }
            #expect(error?.isDamage == true, "\(String(describing: error))")
        }
    }
}
