// SPDX-License-Identifier: Apache-2.0

import Archive
import FoundationEssentials
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

/// Files as others have them: of several owners, with access lists, restored by root and by others.
@Suite(
    "Owners, access lists and what a user may not do (C27, C31, C32, D2)",
    .enabled(if: geteuid() == 0, "becoming several users needs root"), .onItsOwnThread)
struct FileOwnerTests {
    private static let user: UInt32 = 4301

    /// Mode, owner, group and lists of each thing.
    private func looks(_ live: LiveStackFixture) throws -> String {
        try Shell.sh(
            """
            cd '\(live.artifacts)' && find . -path ./.mlflow-backup-restore -prune -o -mindepth 1 ! -name .mlflow-backup-stack \
              -printf '%m %U:%G %p\\n' | sort -k3 && getfacl -nRp 1
            """)
    }

    /// A stack whose folders an ordinary user may work in.
    private func ownedStack(_ name: String) throws -> LiveStackFixture {
        let live = try LiveStackFixture(name)
        try Shell.sh("chmod 755 '\(live.root.path)' && chown -hR \(Self.user):\(Self.user) '\(live.root.path)'")
        return live
    }

    @Test(
        "C31: what root restores is as it was: owners, set-gid, lists, folders' attributes, and undo brings the other looks back",
        arguments: [BackupName.Kind.compressed, .uncompressed])
    func byRoot(kind: BackupName.Kind) throws {
        let live = try LiveStackFixture("owners_root")
        try Shell.sh(
            """
            cd '\(live.artifacts)' && chown -R 4001:4002 . && chown -R 5001:5002 1/run2 && chmod 2775 1/run2
            setfacl -m g::r-x,u:1001:rwx,m::rwx 1/run3 && setfacl -d -m u:1001:rwx 1/run3 && setfattr -n user.note -v n 1/run3
            setfacl -m u:1002:r 1/run4/artifacts/model.bin && chmod 1777 1/run5
            """)
        let before = try looks(live)
        let name = try live.backup(kind).name.string
        // Another look at the same bytes: a restore has to give it all back.
        try Shell.sh(
            """
            cd '\(live.artifacts)' && setfacl -bR 1 && setfattr -x user.note 1/run3 && chown -R 7001:7002 1/run2 1/run6
            chmod 700 1/run5 && chmod g-s 1/run2 && echo changed > 1/run7/artifacts/model.bin
            """)
        let changed = try looks(live)
        let outcome = try live.restore(name, .artifacts, force: true)
        #expect(try looks(live) == before)
        #expect(try Shell.sh("getfattr -n user.note --only-values '\(live.artifacts)/1/run3'") == "n")
        #expect(outcome.warnings.isEmpty, "\(outcome.warnings)")
        try live.undo()
        #expect(try looks(live) == changed)
    }

    @Test(
        "C31: a list that was set or taken away after a restore, on a file that both trees share, is put right by an undo"
    )
    func sharedLists() throws {
        let live = try LiveStackFixture("owners_shared")
        let file = "\(live.artifacts)/1/run4/artifacts/model.bin"
        try Shell.sh("setfacl -m u:1002:r '\(file)'")
        try live.letStampsAge()
        let before = try looks(live)
        try live.restore(try live.backup().name.string, .artifacts, force: true)
        #expect(try looks(live) == before)
        try Shell.sh("setfacl -b '\(file)' && setfacl -m u:1003:rw '\(live.artifacts)/1/run5/artifacts/model.bin'")
        try live.undo()
        #expect(try looks(live) == before)
    }

    @Test("C32: an ordinary user hears at the backup and after a restore, with a count, whose files become its own")
    func byAnother() throws {
        let live = try ownedStack("owners_user")
        try Shell.sh(
            """
            cd '\(live.artifacts)' && chown 5001:\(Self.user) 1/run2/artifacts/model.bin 1/run3/artifacts/model.bin
            chmod 664 1/run?/artifacts/model.bin && chgrp 6001 1/run4/artifacts/model.bin && chgrp 6002 1/run5/artifacts/model.bin
            chmod 640 1/run[45]/artifacts/model.bin
            """)
        let files = try live.files()
        let backup = try OrdinaryUser.run(Self.user) { try live.backup() }
        let told = backup.warnings.filter { $0.english.contains("another user") }
        #expect(
            told.count == 1 && told[0].english.contains("2 ") && told[0].chinese.contains("2 "), "\(backup.warnings)")
        try Shell.sh("rm '\(live.artifacts)'/1/run[2345]/artifacts/model.bin")
        let outcome = try OrdinaryUser.run(Self.user, groups: [6001]) {
            try live.restore(backup.name.string, .artifacts)
        }
        #expect(try live.files() == files)
        let said = outcome.warnings.filter { $0.english.contains("owner or group of 3 entries") }
        #expect(
            said.count == 1 && said[0].english.contains("artifacts/1/run") && said[0].chinese.contains("3 个"),
            "\(outcome.warnings)")
        let owners = try Shell.sh("stat -c %u:%g '\(live.artifacts)'/1/run[2345]/artifacts/model.bin")
        let user = "\(Self.user):"
        #expect(owners == "\(user)\(Self.user)\n\(user)\(Self.user)\n\(user)6001\n\(user)\(Self.user)\n")
        // What only its group might read is not read by another group.
        let modes = "stat -c %a '\(live.artifacts)'/1/run[345]/artifacts/model.bin"
        #expect(try Shell.sh(modes) == "664\n640\n600\n")
        // They are what they should be: the next restore shares them, and its undo leaves them so.
        try live.letStampsAge()
        let last = try OrdinaryUser.run(Self.user, groups: [6001]) {
            try live.restore(backup.name.string, .artifacts, force: true)
        }
        let models = [4, 5].map { live.artifacts.appending("1/run\($0)/artifacts/model.bin") }
        if let kept = last.kept, !FileSystem.sharesBlocks(in: live.root.path) {
            let tree = KeptParts(live.workspace()).tree(of: kept)
            for (number, file) in zip([4, 5], models) {
                let name = tree.appending("1/run\(number)/artifacts/model.bin")
                #expect(try FileStatus.of(name).inode == FileStatus.of(file).inode)
            }
        }
        try Shell.sh("touch -d 2001-01-01 '\(models[1])'")
        _ = try OrdinaryUser.run(Self.user, groups: [6001]) { try live.undo(force: true) }
        #expect(try Shell.sh(modes) == "664\n640\n600\n")
    }

    @Test("a folder that is made for what came late is no more another group's than the one it came in")
    func lateFolders() throws {
        let folder = try TemporaryFolder("late_groups")
        let (from, into) = (folder.path.appending("from"), folder.path.appending("live"))
        try Shell.sh(
            """
            cd '\(folder.path)' && chmod 755 . && mkdir -p from/a from/b live && echo x | tee from/a/f from/b/f >/dev/null
            chown -R \(Self.user):\(Self.user) from live && chgrp 6002 from/a && chmod 2775 from/a
            setfacl -m u:1001:rwx,g::r-x,o::--- from/b && chgrp 6002 from/b
            """)
        let outcome = try OrdinaryUser.run(Self.user) {
            try LateArrivals(from: from, live: into, mark: FileTime(seconds: 0)).carryOver()
        }
        #expect(outcome.carried == ["a/f", "b/f"])
        #expect(try FileStatus.of(into.appending("a")).mode == 0o755)
        #expect(
            try Shell.sh("getfacl -cnp '\(into)/b'")
                == "user::rwx\nuser:1001:rwx\ngroup::---\nmask::rwx\nother::---\n\n")
    }

    @Test("D2: root without root's rights, as containers have it, hears of what it may not move, too")
    func plainRoot() throws {
        let folder = try TemporaryFolder("plain_root")
        try Shell.sh("cd '\(folder.path)' && mkdir 1 && chown 5001:5001 1")
        let root = folder.path
        func refusal() throws -> String? {
            try PlainRoot.run {
                do { try MovableChildren(of: root).check() } catch let error as BackupError { return error.errorCode }
                return nil
            }
        }
        #expect(try refusal() == "not-ours")
        // To be moved it must be written to, and need not be entered.
        try Shell.sh("chmod 702 '\(root)/1'")
        #expect(try refusal() == nil)
        try Shell.sh("chown 5001 '\(root)' && chmod 1777 '\(root)'")
        #expect(try refusal() == "not-movable")
        // With them nothing is in its way.
        try MovableChildren(of: root).check()
    }

    @Test("D2: what an ordinary user may not move is named before anything is unpacked, with the command that mends it")
    func immovable() throws {
        let live = try ownedStack("owners_immovable")
        let name = try OrdinaryUser.run(Self.user) { try live.backup().name.string }
        let one = live.artifacts.appending("1").string
        func refusal() throws -> BackupError? {
            do { try OrdinaryUser.run(Self.user) { _ = try live.restore(name, .artifacts, force: true) } } catch let
                error as BackupError
            {
                return error
            }
            return nil
        }
        func expect(_ code: String, _ path: String, _ command: String, _ set: String, _ mend: String) throws {
            try Shell.sh(set)
            let error = try refusal()
            #expect(error?.errorCode == code)
            for text in [error?.explanation.english, error?.explanation.chinese] {
                #expect(text?.contains(path) == true && text?.contains(command) == true, "\(text ?? "")")
            }
            try live.expectNothingLeftBehind()
            try Shell.sh(mend)
            #expect(try refusal() == nil)
        }
        let root = live.artifacts.string
        // Nor what an ordinary user may not look at, with which the restored files are compared.
        try expect(
            "artifacts-unreadable", "\(one)/closed", "setfacl -R -m u:\(Self.user):rX '\(one)/closed'",
            "mkdir -m 700 '\(one)/closed'", "rmdir '\(one)/closed'")
        // Its own it opens up for the move.
        try Shell.sh("chmod 555 '\(one)'")
        #expect(try refusal() == nil)
        try expect(
            "not-ours", one, "chown -R \(Self.user):\(Self.user) '\(one)'", "chown 5001:5001 '\(one)'",
            "chown -R \(Self.user):\(Self.user) '\(one)'")
        try expect(
            "not-movable", one, "chmod -t '\(root)'",
            "chown 5001:5001 '\(root)' '\(one)' && chmod 1777 '\(root)' '\(one)'",
            "chmod -t '\(root)'")
        try Shell.sh("chown \(Self.user) '\(one)' && chmod 755 '\(root)'")
        try expect("not-movable", root, "chown -R \(Self.user):\(Self.user) '\(root)'", "true", "chmod 777 '\(root)'")
    }

    @Test(
        "An immutable folder keeps root from moving it, too, and is named before anything is unpacked",
        arguments: ["i", "a"])
    func frozen(flag: String) throws {
        let live = try LiveStackFixture("owners_frozen")
        let image = live.root.path.appending("image")
        try Shell.sh(
            "truncate -s 32M '\(image)' && mkfs.ext4 -q '\(image)' && cp -a '\(live.artifacts)' '\(live.root.path)/copy'"
        )
        try Shell.sh(
            "mount -o loop '\(image)' '\(live.artifacts)' && cp -a '\(live.root.path)/copy/.' '\(live.artifacts)'")
        let one = live.artifacts.appending("1")
        defer { _ = try? Shell.sh("chattr -i -a '\(one)'; umount '\(live.artifacts)'") }
        let name = try live.backup().name.string
        try Shell.sh("chattr +\(flag) '\(one)'")
        let error = #expect(throws: BackupError.self) { try live.restore(name, .artifacts, force: true) }
        #expect(error?.errorCode == "not-movable")
        #expect(error?.explanation.english.contains("chattr -i -a '\(one)'") == true)
        try live.expectNothingLeftBehind()
        try Shell.sh("chattr -\(flag) '\(one)'")
        try live.restore(name, .artifacts, force: true)
    }

    /// What is not the user's of all that is ours.
    private static func foreign(_ live: LiveStackFixture, _ kinds: String = "") throws -> String {
        try Shell.sh(
            "cd '\(live.root.path)' && find backups $(ls -d artifacts/\(ArtifactSwap.folderName) 2>/dev/null) ! -user \(user) \(kinds)"
        )
    }

    @Test("What root makes in the service's folders is the service's, at each moment: it goes on, also from a kill")
    func ofRoot() throws {
        let live = try ownedStack("owners_of_root")
        try Shell.sh(
            "cd '\(live.root.path)' && rm -r backups artifacts/\(ArtifactsMark.fileName) && mkdir backups && chown \(Self.user):\(Self.user) backups"
        )
        let during = Monitor<[String?]>([])
        func look(at phase: Backup.Progress.Phase, _ kinds: String = "") -> ProgressSink {
            { step in
                if step.phase == phase { during.withLock { $0.append(try? Self.foreign(live, kinds)) } }
            }
        }
        // What pg_dump writes is root's, in a folder from which the service may remove it.
        let name = try live.backup(.uncompressed, progress: look(at: .verifying, "! -path '*/dump-*/*'")).name.string
        #expect(try Self.foreign(live).isEmpty)
        try live.restore(name, .database, force: true, progress: look(at: .loading))
        let found = during.withLock { $0 }
        #expect(found.count > 1 && found.allSatisfy { $0 == "" }, "\(found)")
        try live.interruptRestore(of: name, at: .preparing)
        #expect(try Self.foreign(live).isEmpty)
        try OrdinaryUser.run(Self.user) {
            try live.recover()
            _ = try VerifyJob(live.workspace()).run(name)
            try live.restore(name, force: true)
            try live.backup(.uncompressed)
            _ = try DeleteJob(live.workspace()).run(name)
        }
        #expect(try Directory.names(in: live.folder.staging).isEmpty)
    }

    @Test(
        "What root's restore from read-only media keeps is the service's; where it is not, the command that mends it is said",
        .enabled(if: WriteProtectedFolder.canMount, "only who may mount can make one here"))
    func besideOfRoot() throws {
        let live = try ownedStack("owners_beside")
        let name = try OrdinaryUser.run(Self.user) { try live.backup().name.string }
        // The dump may hold what MLflow's clients may not read, and the artifacts' user serves them what lies there.
        let reach = Monitor<Set<String>>([])
        let kept = try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            try live.restore(name, .database, force: true) { step in
                guard step.phase == .loading else { return }
                let looked = try? Shell.sh(
                    """
                    dump=$(find '\(live.artifacts)' -name toc.dat) && [ -n "$dump" ] || { echo 'no dump'; exit; }
                    setpriv --reuid \(Self.user) --regid \(Self.user) --clear-groups \
                      sh -c 'cat "$0" || touch "$0".new' "$dump" >/dev/null 2>&1 && echo reached || echo closed
                    """)
                _ = reach.withLock { $0.insert(looked?.split(separator: "\n").last.map(String.init) ?? "no answer") }
            }.kept
        }
        #expect(reach.withLock { $0 } == ["closed"])
        #expect(try Self.foreign(live).isEmpty)
        let beside = live.workspace().state.beside
        #expect(try OrdinaryUser.run(Self.user) { try KeptParts(live.workspace()).all().map(\.id) } == [kept?.id])
        // As 0.2.0 left it.
        let own = beside.parent
        for closed in [beside, own] {
            try Shell.sh("chown -R 0:0 '\(closed)'")
            let command = try OrdinaryUser.run(Self.user) {
                let errors = [
                    #expect(throws: BackupError.self) { try live.backup() },
                    #expect(throws: BackupError.self) { try KeptParts(live.workspace()).all() },
                    RecoverJob(live.workspace()).unsettled(),
                ]
                let commands = errors.map {
                    $0?.explanation.english.components(separatedBy: "As root run: ").last ?? ""
                }
                for (error, command) in zip(errors, commands) {
                    #expect(error?.errorCode == "state-not-usable", "\(String(describing: error))")
                    #expect(command == commands[0] && command.contains("'\(closed)'"), "\(String(describing: error))")
                }
                return commands[0]
            }
            // What a restore kept may be other names of live files, which stay MLflow's.
            let file = "\(live.artifacts)/1/run2/artifacts/model.bin"
            try Shell.sh("mkdir -p '\(own)/kept/old/1' && chown 0:0 '\(file)' && ln '\(file)' '\(own)/kept/old/1'")
            try Shell.sh(command)
            #expect(try Shell.sh("stat -c %u '\(file)'") == "0\n")
            try Shell.sh("rm -r '\(own)/kept' && chown \(Self.user):\(Self.user) '\(file)'")
        }
        try OrdinaryUser.run(Self.user) { try live.undo(force: true) }
        #expect(try Self.foreign(live).isEmpty)
    }

    @Test("What root's restore keeps among artifacts of another user is the service's, too", arguments: [false, true])
    func amongAnothers(stateIsLink: Bool) throws {
        let live = try ownedStack("owners_two")
        if stateIsLink {
            try Shell.sh("cd '\(live.folder.path)' && mv .mlflow-backup ../state && ln -s ../state .mlflow-backup")
        }
        try Shell.sh("cd '\(live.artifacts)' && chown -R 4309:\(Self.user) . && chmod -R g+rwX . && chmod g+s .")
        // Nor need the folder be the service's.
        try Shell.sh("chown 4310:\(Self.user) '\(live.folder.path)' && chmod 775 '\(live.folder.path)'")
        let name = try OrdinaryUser.run(Self.user) { try live.backup().name.string }
        let kept = try live.restore(name, force: true).kept
        try OrdinaryUser.run(Self.user) {
            #expect(RecoverJob(live.workspace()).unsettled() == nil)
            #expect(try KeptParts(live.workspace()).all().map(\.id) == [kept?.id])
            try live.backup()
            try live.undo(force: true)
        }
    }

    @Test(
        "A folder of artifacts that root makes on a new machine, by the restore or by hand before it, looks as the one that was backed up",
        arguments: [("4001:4002", false), ("0:4002", false), ("4001:4002", true)])
    func newMachine(owner: String, isMadeByHand: Bool) throws {
        let live = try LiveStackFixture("owners_new_\(owner.prefix(1))_\(isMadeByHand)")
        try Shell.sh(
            """
            cd '\(live.artifacts)' && chown -R \(owner) . && chmod 2770 . && setfacl -m u:5001:rwx . && setfacl -d -m u:5001:rwx .
            """)
        func looks() throws -> String {
            try Shell.sh("cd '\(live.artifacts)' && stat -c '%a %u:%g' . 1/run2/artifacts/model.bin && getfacl -ncp .")
        }
        let before = try looks()
        let name = try live.backup().name.string
        try Databases(live.database).drop(live.database.database)
        try Directory.removeTree(live.artifacts)
        if isMadeByHand { try Directory.make(live.artifacts) }
        try live.restore(name)
        #expect(try looks() == before)
    }

    @Test("The same where the database lives, and `claim`, as advised, has marked the empty folder of root's")
    func newDisk() throws {
        let live = try LiveStackFixture("owners_disk")
        try Shell.sh("cd '\(live.artifacts)' && chown -R 4001:4002 . && chmod 2770 .")
        let looks = { try Shell.sh("cd '\(live.artifacts)' && stat -c '%a %u:%g' . 1/run2/artifacts/model.bin") }
        let before = try looks()
        let name = try live.backup().name.string
        try Directory.removeTree(live.artifacts)
        try Directory.make(live.artifacts)
        #expect(throws: BackupError.self) { try live.restore(name, force: true) }
        try ClaimJob(live.workspace()).run()
        try live.restore(name, force: true)
        #expect(try looks() == before)
    }

    @Test("What is advised where the service may not remove a kept part gives no live file away, and then it may")
    func keptOfAnother() throws {
        let live = try ownedStack("owners_forget")
        try Shell.sh("chown -R 4309:4309 '\(live.artifacts)'")
        let name = try OrdinaryUser.run(Self.user) { try live.backup().name.string }
        try live.letStampsAge()
        let kept = try #require(try live.restore(name, force: true).kept)
        let error = try OrdinaryUser.run(Self.user) {
            #expect(throws: BackupError.self) { try ForgetJob(live.workspace()).run(kept.id) }
        }
        #expect(error?.errorCode == "kept-not-removable", "\(String(describing: error))")
        let words = error?.explanation.english ?? ""
        let command = words.components(separatedBy: "As root run: ").last?.components(separatedBy: " - then").first
        #expect(error?.explanation.chinese.contains(command ?? " ") == true)
        try Shell.sh(command ?? "false")
        #expect(try Shell.sh("find '\(live.artifacts)' -type f -user \(Self.user) ! -path '*/.mlflow-backup*'").isEmpty)
        try OrdinaryUser.run(Self.user) {
            _ = try ForgetJob(live.workspace()).run(kept.id)
            try live.backup()
        }
    }

    @Test("Where the service may not write among the artifacts an empty folder of ours stays there, and stops nothing")
    func emptyAmongAnothers() throws {
        let live = try ownedStack("owners_empty")
        try Shell.sh("chown -R 4309:4309 '\(live.artifacts)'")
        let name = try OrdinaryUser.run(Self.user) { try live.backup().name.string }
        let kept = try #require(try live.restore(name, .database, force: true).kept)
        try OrdinaryUser.run(Self.user) {
            _ = try ForgetJob(live.workspace()).run(kept.id)
            #expect(try KeptParts(live.workspace()).all().isEmpty)
            try live.backup()
        }
    }

    @Test("C27: files and folders that may not be read are known before a backup, counted, in bounded time")
    func unreadable() throws {
        let live = try ownedStack("owners_unreadable")
        func look() throws -> BackupPreflight.Unreadable? {
            try OrdinaryUser.run(Self.user) { try BackupPreflight.unreadable(in: live.artifacts, limit: 2) }
        }
        #expect(try look() == nil)
        try Shell.sh(
            """
            cd '\(live.artifacts)/1' && chown 5001 run2/artifacts/model.bin run3 run4/artifacts/model.bin && chmod 600 run2/artifacts/model.bin
            chmod 700 run3 && chmod 600 run4/artifacts/model.bin && setfacl -m u:\(Self.user):r run4/artifacts/model.bin
            """)
        let found = try #require(try look())
        #expect(found.count == 2 && found.isAll)
        let findings = try OrdinaryUser.run(Self.user) { BackupPreflight(live.workspace(), options: .init()).run() }
        let error = try #require(findings.first(.artifacts)?.obstacle as? BackupError)
        #expect(error.errorCode == "artifacts-unreadable")
        #expect(error.explanation.english.contains("2 ") && error.explanation.english.contains(found.example.string))
        // No time at all: what was not looked at is not said to be well.
        let hasty = try OrdinaryUser.run(Self.user) { try BackupPreflight.unreadable(in: live.artifacts, limit: -1) }
        #expect(hasty == nil)
        // Root reads it all.
        #expect(try BackupPreflight.unreadable(in: live.artifacts, limit: 2) == nil)
        // Of a folder above nobody is advised to give away what else is in it, root's home maybe.
        try Shell.sh("chown 0:0 '\(live.root.path)' && chmod 700 '\(live.root.path)'")
        let above = try OrdinaryUser.run(Self.user) {
            #expect(throws: BackupError.self) { try live.stack.checkArtifactsFolder() }
        }
        #expect(above?.errorCode == "artifacts-out-of-reach", "\(String(describing: above))")
        for text in [above?.explanation.english, above?.explanation.chinese].map({ $0 ?? "" }) {
            #expect(text.contains("setfacl -m u:\(Self.user):x '\(live.root.path)'"), "\(text)")
            #expect(!text.contains("-R ") && !text.contains("chown"), "\(text)")
        }
    }
}
