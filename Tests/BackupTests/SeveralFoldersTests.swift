// SPDX-License-Identifier: Apache-2.0

import Archive
import Foundation
import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Several folders of artifacts are backed up, restored and taken back as one", .besideThePool)
struct SeveralFoldersTests {
    @Test(
        "a backup holds each folder by its name, tar unpacks them, and a second one of the same takes everything over",
        arguments: [BackupName.Kind.compressed, .uncompressed])
    func backup(kind: BackupName.Kind) throws {
        let several = try SeveralFolders("several_backup")
        let made = try several.backup(kind)
        #expect(made.warnings.isEmpty, "\(made.warnings.map(\.english))")
        let manifest = try #require(try several.live.item(made.name).quickManifest())
        #expect(manifest.format == 2)
        #expect(manifest.roots?.map(\.name) == ["models", "notes"])
        #expect(manifest.roots?.map(\.artifacts.files) == [5, 1] && manifest.summary.files == 26)
        let unpacked = several.live.root.path.appending("unpacked")
        try Directory.make(unpacked)
        if kind == .compressed {
            try Shell.sh("tar -xzf '\(made.path)' -C '\(unpacked)' --strip-components=1")
        } else {
            try Shell.sh("cp -a '\(made.path)/.' '\(unpacked)'")
        }
        #expect(try several.files(unpacked.appending("artifacts-models")) == several.files(several.models))
        #expect(try several.files(unpacked.appending("artifacts-notes")) == several.files(several.notes))
        _ = try VerifyJob(several.workspace()).run(made.name.string)
        #expect(try several.live.item(made.name).status == .completed)

        // Stamps of the last two seconds before a walk prove nothing.
        sleep(3)
        let again = try several.backup(kind)
        if kind == .compressed { #expect(try several.backup(kind).unchanged?.since == again.name) }
        try Shell.sh("echo more > '\(several.notes)/8/more.txt'")
        let third = try several.backup(kind)
        #expect(third.manifest.roots?.map(\.artifacts.files) == [5, 2])
        _ = try VerifyJob(several.workspace()).run(third.name.string)
        #expect(try several.live.item(third.name).status == .completed)
    }

    @Test("a backup of one folder is of the format that older versions restore")
    func plainFormat() throws {
        let live = try LiveStackFixture("several_one")
        let manifest = try #require(try live.item(live.backup().name).quickManifest())
        #expect(manifest.format == 1 && manifest.roots == nil)
    }

    @Test("a restore brings all folders and the database back, and an undo, and the undo of that, each all of it")
    func restoreAndUndo() throws {
        let several = try SeveralFolders("several_restore")
        let before = try several.all()
        let made = try several.backup()
        try several.change()
        let after = try several.all()
        let refused = #expect(throws: BackupError.self) { try several.restore(made.name.string) }
        #expect(refused?.errorCode == "newer-data")
        #expect(try several.all() == after)
        #expect(try several.leftWork().isEmpty)
        let restored = try several.restore(made.name.string, force: true)
        #expect(try several.all() == before)
        #expect(restored.files == 26)
        #expect(try several.leftWork().isEmpty)
        #expect(try several.workspace().keptListing().map(\.part.root) == [nil, "notes", "models"])
        try several.undo()
        #expect(try several.all() == after)
        try several.undo()
        #expect(try several.all() == before)
        #expect(try several.leftWork().isEmpty)
    }

    @Test("a file that came into a further folder after the backup refuses its restore, with the folder's name")
    func newerFile() throws {
        let several = try SeveralFolders("several_newer")
        let made = try several.backup()
        for (path, time) in [("9/new", "now"), ("9/old", "2020-01-01")] {
            try Shell.sh("cd '\(several.models)'; mkdir -p 9; echo x > \(path); touch -d \(time) \(path)")
            let before = try several.all()
            let refused = #expect(throws: BackupError.self) { try several.restore(made.name.string) }
            #expect(refused?.errorCode == "newer-data")
            let text = refused?.explanation.english ?? ""
            #expect(text.contains("[models]") && text.contains(path), "\(text)")
            #expect(try several.all() == before)
            #expect(try several.leftWork().isEmpty)
            try Shell.sh("rm '\(several.models)/\(path)'")
        }
    }

    @Test(
        "a file written into a further folder after a restore refuses the undo, and with force it is kept and named")
    func undoRefused() throws {
        let several = try SeveralFolders("several_since")
        let made = try several.backup()
        try several.change()
        try several.restore(made.name.string, force: true)
        try Shell.sh("echo since > '\(several.models)/7/net/since'")
        let refused = #expect(throws: BackupError.self) { try several.undo() }
        #expect(refused?.errorCode == "newer-data")
        #expect(refused?.explanation.english.contains("[models]") == true, "\(refused?.explanation.english ?? "")")
        let undone = try several.undo(force: true)
        #expect(!undone.replaced.isEmpty)
        let kept = several.models.appending(ArtifactSwap.folderName)
        #expect(try Shell.sh("find '\(kept)' -name since -exec cat {} +") == "since\n")
    }

    @Test(
        "killed at any moment, what is live afterwards is the old stack or the new one, in all folders",
        arguments: SeveralFolders.Moment.allCases, [RestoreMode.full, .artifacts])
    func killed(moment: SeveralFolders.Moment, mode: RestoreMode) throws {
        let several = try SeveralFolders("several_killed")
        let old = try several.all()
        let made = try several.backup()
        try several.change()
        let changed = try several.all()
        try several.interruptRestore(of: made.name.string, mode, at: moment)
        // Without a database nothing but the first journal decides: once that is committing all goes forward.
        let isForward = moment.isForward || mode == .artifacts && moment == .allReady
        try several.recover()
        var expected = isForward ? old : changed
        if mode == .artifacts { expected[0] = changed[0] }
        #expect(try several.all() == expected)
        #expect(try several.leftWork().isEmpty)
        #expect(try several.recover() == .nothingToDo)
        try several.backup()
        if isForward {
            try several.undo()
            #expect(try several.all() == changed)
        }
    }

    @Test("the database says where a folder goes whose first journal a person moved away")
    func journalGone() throws {
        for moment in [SeveralFolders.Moment.allReady, .databasesSwapped] {
            let several = try SeveralFolders("several_gone")
            let old = try several.files(several.models)
            let made = try several.backup()
            try several.change()
            let changed = try several.files(several.models)
            try several.interruptRestore(of: made.name.string, at: moment)
            let state = several.workspace().state
            for name in try state.names() where name.hasPrefix("restore-journal") {
                let journal = try #require(try RestoreJournal.read(several.stack, several.live.folder))
                if name == RestoreJournal.fileName(journal.id ?? "") {
                    try Directory.rename(
                        several.live.folder.state.appending(name), to: several.live.root.path.appending(name))
                    break
                }
            }
            // The first folder's own work is without a journal now, which stops everything else; the others are settled before.
            #expect(throws: BackupError.self) { try several.recover() }
            #expect(try several.files(several.models) == (moment == .allReady ? changed : old))
        }
    }

    @Test(
        "a folder that the backup has and nobody configured is refused by its name, and so is one that a recovery needs"
    )
    func unknownFolder() throws {
        let several = try SeveralFolders("several_unknown")
        let made = try several.backup()
        try several.change()
        let one = several.stack(["models": several.models])
        let refused = #expect(throws: BackupError.self) {
            try several.restore(made.name.string, force: true, stack: one)
        }
        #expect(refused == .rootsUnknown(names: ["notes"]))
        try several.restore(made.name.string, .database, force: true, stack: one)
        try several.interruptRestore(of: made.name.string, at: .firstDone)
        let left = #expect(throws: BackupError.self) { try RecoverJob(several.workspace(one)).run() }
        guard case .rootLeft(name: "notes", _)? = left else { Issue.record("\(String(describing: left))"); return }
        try several.recover()
        #expect(try several.leftWork().isEmpty)
    }

    @Test("a folder that the backup does not have stays as it is, and that is said")
    func laterFolder() throws {
        let several = try SeveralFolders("several_later")
        let made = try several.backup(stack: several.stack(["models": several.models]))
        try several.change()
        let notes = try several.files(several.notes)
        let restored = try several.restore(made.name.string, force: true)
        #expect(try several.files(several.notes) == notes)
        #expect(restored.warnings.map(\.english).contains { $0.contains("notes") && $0.contains("stay as they are") })
    }

    @Test("folders that lie in one another, or in the backup folder, are refused")
    func overlap() throws {
        let several = try SeveralFolders("several_overlap")
        for path in [several.live.artifacts.appending("1"), several.live.artifacts] {
            let refused = #expect(throws: BackupError.self) {
                try several.backup(stack: several.stack(["models": path]))
            }
            #expect(refused?.errorCode == "artifact-roots-overlap")
        }
        let inside = several.live.folder.path.appending("mlflow_backup_20261125_020000")
        try Directory.make(inside)
        let refused = #expect(throws: BackupError.self) {
            try several.backup(stack: several.stack(["models": inside]))
        }
        #expect(refused?.errorCode == "folders-overlap")
    }

    @Test(
        "a folder whose disk is away fails the backup, one that got another's name is told of, and claim accepts both")
    func marks() throws {
        let several = try SeveralFolders("several_marks")
        try several.backup()
        let aside = several.live.root.path.appending("aside")
        try Directory.rename(several.models, to: aside)
        let missing = #expect(throws: BackupError.self) { try several.backup() }
        #expect(missing?.errorCode == "artifacts-missing")
        try Directory.make(several.models)
        let emptied = #expect(throws: BackupError.self) { try several.backup() }
        #expect(emptied?.errorCode == "artifacts-emptied")
        try Directory.removeTree(several.models)
        try Directory.rename(aside, to: several.models)
        #expect(try several.backup().warnings.isEmpty)
        let turned = several.stack(["models": several.notes, "notes": several.models])
        for _ in 0..<2 {
            let refused = #expect(throws: BackupError.self) { try several.backup(stack: turned) }
            #expect(refused?.explanation.english.contains("wrong way round") == true)
        }
        _ = try ClaimJob(several.workspace(turned)).run()
        #expect(try several.backup(stack: turned).manifest.roots?.map(\.artifacts.files) == [1, 5])
    }

    @Test("a lost mark is told of by each backup, and not made again before claim")
    func lostMark() throws {
        let several = try SeveralFolders("several_lost")
        try several.backup()
        let mark = several.models.appending(ArtifactsMark.fileName)
        try Directory.remove(mark)
        for _ in 0..<3 {
            let told = try several.backup().warnings.map(\.english)
            #expect(told.contains { $0.contains(several.models.string) && $0.contains("mark") }, "\(told)")
            #expect(try FileStatus.ifPresent(mark) == nil)
        }
        _ = try ClaimJob(several.workspace()).run()
        #expect(try FileStatus.ifPresent(mark) != nil)
        #expect(try several.backup().warnings.isEmpty)
    }

    @Test("a folder that cannot be moved on with is waited for, and not put back alone; nothing else is done meanwhile")
    func stuckFollower() throws {
        for mode in [RestoreMode.full, .artifacts] {
            let several = try SeveralFolders("several_stuck")
            let old = try several.all()
            let made = try several.backup()
            try several.change()
            let changed = try several.all()
            try several.interruptRestore(of: made.name.string, mode, at: .firstDone)
            let stuck = several.models.appending("7")
            try Shell.sh("chattr +i '\(stuck)'")
            defer { _ = try? Shell.sh("chattr -i '\(stuck)'") }
            for _ in 0..<2 {
                let refused = #expect(throws: BackupError.self) { try several.recover() }
                #expect(refused?.errorCode == "needs-recovery", "\(String(describing: refused))")
                #expect(throws: BackupError.self) { try several.backup() }
            }
            try Shell.sh("chattr -i '\(stuck)'")
            try several.recover()
            #expect(try several.all() == [mode == .full ? old[0] : changed[0]] + old.dropFirst())
            #expect(try several.leftWork().isEmpty)
        }
    }

    @Test(
        "a folder whose disk is away when a restore is given up stays out of it for good, in a backup folder and on write-protected media",
        arguments: [false, true])
    func awayWhenGivenUp(isProtected: Bool) throws {
        let several = try SeveralFolders("several_away")
        let made = try several.backup()
        try several.change()
        let changed = try several.all()
        if isProtected { try ReadOnlyMount.make(over: several.live.folder.path) }
        defer { if isProtected { _ = try? Shell.sh("umount '\(several.live.folder.path)'") } }
        for moment in [SeveralFolders.Moment.followersReady, .allPrepared] {
            try several.interruptRestore(of: made.name.string, .artifacts, at: moment)
            let aside = several.live.root.path.appending("aside")
            try Directory.rename(several.models, to: aside)
            try Directory.make(several.models)
            for _ in 0..<2 { #expect(throws: BackupError.self) { try several.recover() } }
            try Directory.removeTree(several.models)
            try Directory.rename(aside, to: several.models)
            _ = try several.recover()
            #expect(try several.all() == changed)
            #expect(try several.leftWork().isEmpty)
        }
    }

    @Test("a forced undo says which folders it did not take back, and refuses while their disk is away")
    func undoWithoutOne() throws {
        let several = try SeveralFolders("several_without")
        let made = try several.backup()
        try several.change()
        let changed = try several.all()
        try several.restore(made.name.string, force: true)
        let restored = try several.all()
        let aside = several.live.root.path.appending("aside")
        try Directory.rename(several.models, to: aside)
        try Directory.make(several.models)
        #expect(throws: BackupError.self) { try several.undo(force: true) }
        try Directory.removeTree(several.models)
        try Directory.rename(aside, to: several.models)
        let part = try #require(try several.workspace().keptListing().map(\.part).first { $0.root == "models" })
        try ForgetJob(several.workspace()).run(part.id)
        let refused = #expect(throws: BackupError.self) { try several.undo() }
        #expect(refused?.errorCode == "kept-files-partly-gone")
        let told = try several.undo(force: true).warnings.map(\.english)
        #expect(told.contains { $0.contains("models") && $0.contains("stay as they are") }, "\(told)")
        #expect(try several.all() == [changed[0], changed[1], restored[2], changed[3]])
    }

    @Test("an archive of somebody else's with a name of ours in a further folder is refused before anything is swapped")
    func namesOfOurs() throws {
        let several = try SeveralFolders("several_ours")
        let made = try several.backup(.uncompressed)
        try several.change()
        let changed = try several.all()
        let folder = made.path
        try Shell.sh("cd '\(folder)'; mkdir artifacts-models/.mlflow-backup-restore")
        #expect(throws: (any Error).self) { try several.restore(made.name.string, force: true) }
        #expect(try several.all() == changed)
        #expect(try several.leftWork().isEmpty)
    }

    @Test("a manifest that counts a further folder wrongly, or leaves it out, is found by verify")
    func countsOfEach() throws {
        let several = try SeveralFolders("several_counts")
        let made = try several.backup()
        let manifest = try #require(try several.live.item(made.name).quickManifest())
        var count = manifest.content
        #expect(count.files == 26 && count.further["models"]?.files == 5)
        count = ContentCount(
            first: count.first, further: ["models": .init(files: 4, bytes: 1), "notes": .init(files: 2, bytes: 2)])
        #expect(count.files == 26 && count != manifest.content)
    }

    @Test("a further folder that lost most of its files makes the backup suspicious, whatever the others hold")
    func suspicious() throws {
        let several = try SeveralFolders("several_small")
        try several.backup()
        try Shell.sh("rm '\(several.models)'/7/net/weights-[2-5]")
        let made = try several.backup()
        #expect(made.suspicious?.english.contains("of the artifacts folder models it has only 1 files") == true)
        try several.live.add(runs: 50...80)
        #expect(try several.backup(stack: several.stack(["notes": several.notes])).suspicious != nil)
    }

    @Test("forgetting what a restore kept forgets it in all folders, and time takes the first one first")
    func forget() throws {
        let several = try SeveralFolders("several_forget")
        let made = try several.backup()
        try several.change()
        try several.restore(made.name.string, force: true)
        let first = try #require(try several.workspace().keptListing().first?.part)
        #expect(first.root == nil)
        try ForgetJob(several.workspace()).run(first.id)
        #expect(try several.workspace().keptListing().isEmpty)

        try several.backup()
        try several.restore(made.name.string, force: true)
        var late = several.workspace()
        late.keepSeconds = 0
        _ = try BackupJob(late, options: .init(), version: "test").run()
        #expect(try several.workspace().keptListing().isEmpty)
    }

    @Test("what the database names in a further folder is in the backup, which is whole")
    func covered() throws {
        let several = try SeveralFolders("several_covered")
        let connection = try Connection(several.live.database)
        try connection.execute("alter table experiments add artifact_location text")
        let place = "\(several.models)/7"
        try connection.execute(
            "insert into experiments values (7, 'net', 1, 1, 'active', \(place))")
        #expect(try several.backup().lack.isNothing)
        #expect(try !several.backup(stack: several.stack(["notes": several.notes])).lack.isNothing)
    }
}
