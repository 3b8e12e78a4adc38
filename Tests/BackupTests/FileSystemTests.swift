// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "Backups and artifacts on file systems of other kinds", .enabled(if: geteuid() == 0, "mounting needs root"),
    .serialized, .aheadBesideThePool)
struct FileSystemTests {
    typealias Kind = MountedFileSystem.Kind

    private static let combinations: [(kind: Kind, type: BackupName.Kind)] =
        Kind.allCases.map { ($0, .compressed) } + [Kind.exfat, .ntfs, .sshfs].map { ($0, .uncompressed) }

    private func make(_ workspace: Workspace, _ kind: BackupName.Kind, _ live: LiveStackFixture) throws -> BackupOutcome
    {
        try live.awaitOlderTransactions()
        return try BackupJob(workspace, options: .init(kind: kind, scrubSeconds: 0), version: "t").run()
    }

    @Test(
        "C50: backups there are made, made again, verified, restored and pruned",
        arguments: Self.combinations)
    func backups(_ combination: (kind: Kind, type: BackupName.Kind)) throws {
        let (kind, type) = combination
        try kind.mustBeHere()
        let live = try LiveStackFixture("on_\(kind)")
        let mounted = try MountedFileSystem(kind)
        let folder = BackupFolder(mounted.path.appending("backups"))
        let workspace = live.workspace(folder: folder)
        let (rows, files) = (try live.rows(), try live.files())
        let first = try make(workspace, type, live)
        let storage = try FolderStorage(folder)
        #expect(
            storage.fileSystem.hasPrefix(
                kind == .exfat || kind == .ntfs || kind == .sshfs || kind == .rclone ? "fuse" : "\(kind)"))
        try live.add(runs: 21...22)
        let second = try make(workspace, type, live)
        // Nothing changed: another name of it, or a copy.
        let third = try make(workspace, type, live)
        for made in [first, second, third] { _ = try VerifyJob(workspace).run(made.name.string) }
        let items = try Catalogue(folder).items()
        #expect(items.map(\.name) == [third, second, first].map(\.name))
        #expect(items.allSatisfy { $0.status == .completed }, "\(items.map(\.status))")
        let (laterRows, laterFiles) = (try live.rows(), try live.files())
        _ = try RestoreJob(workspace, options: .init(force: true)).run(first.name.string)
        #expect(try live.rows() == rows && live.files() == files)
        _ = try UndoJob(workspace, force: true).run()
        #expect(try live.rows() == laterRows && live.files() == laterFiles)
        _ = try PruneJob(workspace, rule: .count(1)).run()
        #expect(try Catalogue(folder).items().contains { $0.name == third.name })
        let state = try Directory.names(in: folder.state).map { String(decoding: $0, as: UTF8.self) }
        #expect(!state.contains { $0.contains("probe-") || $0.contains("pulse") }, "\(state)")
    }

    /// A stack whose artifacts lie there, behind a link.
    private func onto(_ kind: Kind, _ live: LiveStackFixture) throws -> MountedFileSystem {
        let before = live.root.path.appending("before")
        try Directory.rename(live.artifacts, to: before)
        let mounted = try MountedFileSystem(kind, lower: before)
        // Owners and times are not what this is about, and not everywhere to be had.
        if kind != .overlay { try Shell.sh("cp -r '\(before)/.' '\(mounted.path)'") }
        try Shell.sh("ln -s '\(mounted.path)' '\(live.artifacts)'")
        return mounted
    }

    @Test(
        "C51: artifacts there are restored, taken back, and finished or put back after a kill",
        arguments: [Kind.ext4, .xfs, .btrfs, .ntfs])
    func artifacts(kind: Kind) throws {
        try kind.mustBeHere()
        let live = try LiveStackFixture("art_\(kind)")
        let mounted = try onto(kind, live)
        let name = try live.backup().name.string
        let (rows, files) = (try live.rows(), try live.files())
        try Shell.sh(
            "mkdir -p '\(live.artifacts)/2/r' && echo x >'\(live.artifacts)/2/r/f' && echo y >>'\(live.artifacts)/1/run3/artifacts/model.bin'"
        )
        let later = try live.files()
        try live.restore(name, force: true)
        #expect(try live.files() == files)
        try live.undo(force: true)
        #expect(try live.files() == later && live.rows() == rows)

        for isSwapped in [true, false] {
            let journal = try live.interruptRestore(of: name, swappingDatabases: isSwapped)
            let swap = ArtifactSwap(root: try live.artifacts.resolved(), id: journal.id)
            // The first of the two renames, or the exchange, and no more.
            do throws(SystemError) { try Directory.exchange(swap.new.appending("1"), swap.root.appending("1")) } catch {
                try Directory.rename(swap.root.appending("1"), to: swap.old.appending("1"))
            }
            if kind != .overlay { try mounted.remount() }
            #expect(
                try live.recover()
                    == (isSwapped ? .finished(backup: name, task: nil) : .undone(backup: name, task: nil)))
            #expect(try live.files() == (isSwapped ? files : later))
            if isSwapped { try live.undo(force: true) }
        }
        #expect(try live.files() == later)
        try live.expectNothingLeftBehind()
    }

    @Test(
        "C51: where a swap could not be put back it is refused before anything is unpacked, and said by the backup",
        arguments: [Kind.exfat, .sshfs, .rclone])
    func unfit(kind: Kind) throws {
        try kind.mustBeHere()
        let live = try LiveStackFixture("unfit_\(kind)")
        let mounted = try onto(kind, live)
        let made = try live.backup()
        #expect(made.warnings.contains { $0.english.contains("inode numbers that stay") }, "\(made.warnings)")
        let (name, files) = (made.name.string, try live.files())
        try live.add(runs: 21...21)
        let rows = try live.rows()
        for mode in [RestoreMode.full, .artifacts] {
            let error = #expect(throws: BackupError.self) { try live.restore(name, mode, force: true) }
            #expect(error?.errorCode == "artifacts-unfit", "\(String(describing: error))")
            #expect(error?.explanation.english.contains("Restore the database alone") == true)
        }
        #expect(try live.rows() == rows && live.files() != files)
        #expect(try !Directory.names(in: mounted.path).contains(Array(ArtifactSwap.folderName.utf8)))
        #expect(try live.restore(name, .database, force: true).mode == .database)
        #expect(try live.rows() != rows)
    }

    @Test(
        "C51: folders of an overlay's lower layer are refused before anything is unpacked, with the command that mends it"
    )
    func lowerLayer() throws {
        let live = try LiveStackFixture("lower")
        let mounted = try onto(.overlay, live)
        let name = try live.backup().name.string
        let files = try live.files()
        try Shell.sh("rm '\(live.artifacts)/1/run3/artifacts/model.bin'")
        let error = #expect(throws: BackupError.self) { try live.restore(name, force: true) }
        let words = error?.explanation.english ?? ""
        #expect(error?.errorCode == "lower-layer" && words.contains("run: mv '"), "\(String(describing: error))")
        let command = words.split(separator: "run: ").last?.split(separator: " - or").first.map(String.init) ?? "false"
        try Shell.sh(command)
        try live.restore(name, force: true)
        #expect(try live.files() == files)
        #expect(try FileStatus.ifPresent(mounted.path.appending("1")) != nil)
        try live.undo(force: true)
    }

    @Test(
        "C53: a file system that does not answer, or answers with errors, is found out within seconds, and asked once")
    func silence() throws {
        try Kind.sshfs.mustBeHere()
        let live = try LiveStackFixture("silent")
        let mounted = try MountedFileSystem(.sshfs)
        let folder = BackupFolder(mounted.path.appending("backups"))
        let workspace = live.workspace(folder: folder)
        _ = try make(workspace, .compressed, live)
        try mounted.setSilent(true)
        // The mount could not be taken away.
        defer { try? mounted.setSilent(false) }
        let start = MonotonicTime.nanoseconds()
        // Whatever stands since a second ago.
        while case .answered = FolderPulse.take(in: folder.state, atMost: 0.2) { usleep(50_000) }
        let error = BackupPreflight(workspace, options: .init(), patience: 1).run().obstacles.first as? BackupError
        #expect(error?.errorCode == "folder-silent", "\(String(describing: error))")
        #expect(MonotonicTime.seconds(since: start) < 15)
        // A disk that sleeps wakes up in its time: whoever is in no hurry waits for it.
        let waker = try WorkerThread("waker") {
            sleep(4)
            try? mounted.setSilent(false)
        }
        try BackupPreflight(workspace, options: .init()).run().throwFirst()
        waker.join()

        try mounted.breakOff()
        usleep(1_200_000)
        #expect(!BackupPreflight(workspace, options: .init()).run().obstacles.isEmpty)
    }

    @Test(
        "C51: what a client makes again between the two renames goes aside, and its files come back where they were stored"
    )
    func gap() throws {
        let live = try LiveStackFixture("gap")
        let name = try live.backup().name.string
        let journal = try live.interruptRestore(of: name, .artifacts)
        let swap = journal.swap
        let plan = try #require(journal.plan)
        try Directory.rename(live.artifacts.appending("1"), to: swap.old.appending("1"))
        let late = live.artifacts.appending("1/late")
        try Directory.make(late)
        try DurableFile.replace(late.appending("file"), with: Array("late".utf8))
        try swap.forward(plan)
        #expect(try Directory.names(in: swap.old).contains(Array("1.1".utf8)))
        let outcome = try LateArrivals(
            from: swap.old, live: live.artifacts, mark: try #require(journal.mark), present: journal.present, plan: plan
        ).carryOver()
        #expect(outcome.carried == ["1/late/file"])
        #expect(try Shell.sh("cat '\(late)/file'") == "late")
        #expect(try live.recover() == .finished(backup: name, task: nil))
        try live.expectNothingLeftBehind()
    }

    @Test("a rename by a second name that was cut short is finished and put back like any other")
    func twoNames() throws {
        for isForward in [true, false] {
            let live = try LiveStackFixture("two_names")
            try DurableFile.replace(live.artifacts.appending("note"), with: Array("backed up".utf8))
            let name = try live.backup().name.string
            try DurableFile.replace(live.artifacts.appending("note"), with: Array("newer".utf8))
            let journal = try live.interruptRestore(of: name, .artifacts)
            let (swap, plan) = (journal.swap, try #require(journal.plan))
            try Directory.rename(live.artifacts.appending("note"), to: swap.old.appending("note"))
            try Directory.link(swap.new.appending("note"), as: live.artifacts.appending("note"))
            if isForward { try swap.forward(plan) } else { try swap.backward(plan) }
            #expect(try Shell.sh("cat '\(live.artifacts)/note'") == (isForward ? "backed up" : "newer"))
            #expect(
                try Directory.names(in: swap.old).filter { $0.starts(with: Array("note".utf8)) }.count
                    == (isForward ? 1 : 0))
            if !isForward { #expect(try FileStatus.ifPresent(swap.new.appending("note")) != nil) }
        }
    }
}
