// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Where the folders of a stack lie", .besideThePool)
struct FolderLayoutTests {
    /// Everything that takes the backup folder.
    private func operations(_ workspace: Workspace) -> [(String, () throws -> Void)] {
        let options = BackupJob.Options()
        return [
            ("backup", { _ = try BackupJob(workspace, options: options, version: "t").run() }),
            ("restore", { _ = try RestoreJob(workspace, options: .init(force: true)).run("x") }),
            ("undo", { _ = try UndoJob(workspace, force: true).run() }),
            ("prune", { _ = try PruneJob(workspace, rule: .count(1)).run() }),
            ("verify", { _ = try VerifyJob(workspace).run("x") }),
            ("delete", { _ = try DeleteJob(workspace).run("x") }),
            ("claim", { _ = try ClaimJob(workspace).run() }),
            ("recover", { _ = try RecoverJob(workspace).run() }),
            ("preflight", { try BackupPreflight(workspace, options: options).run().throwFirst() }),
        ]
    }

    private func expectRefused(_ live: LiveStackFixture, _ folder: FilePath, _ words: String) throws {
        let before = try Shell.sh("cd '\(live.root.path)' && find . -path ./kept -prune -o -print | sort")
        for (name, operation) in operations(live.workspace(folder: BackupFolder(folder))) {
            let error = #expect(throws: BackupError.self, "\(name) in \(folder)", performing: operation)
            #expect(error?.errorCode == "folders-overlap", "\(name): \(String(describing: error))")
            #expect(error?.explanation.english.contains(words) == true)
            #expect(error?.explanation.english.contains(live.artifacts.string) == true)
        }
        #expect(try Shell.sh("cd '\(live.root.path)' && find . -path ./kept -prune -o -print | sort") == before)
    }

    @Test(
        "C1: a backup folder that is, or lies in, the artifacts folder is refused by every operation, and nothing is written"
    )
    func backupsAmongArtifacts() throws {
        let live = try LiveStackFixture("layout_inside")
        try Shell.sh(
            "cd '\(live.root.path)' && mkdir -p artifacts/there && ln -s artifacts/there link && ln -s artifacts same")
        for name in [
            "artifacts", "artifacts/new", "artifacts/there", "artifacts/../artifacts/./new", "link", "link/new",
            "same/new",
        ] {
            try expectRefused(live, live.root.path.appending(name), "is, or lies in, the artifacts folder")
        }
    }

    @Test(
        "C1: so is one whose own state is a link into the artifacts, and one that the artifacts lie in as what is cleared"
    )
    func otherWays() throws {
        let live = try LiveStackFixture("layout_other")
        try Shell.sh(
            "cd '\(live.root.path)' && mkdir -p artifacts/state linked && ln -s ../artifacts/state linked/.mlflow-backup"
        )
        try expectRefused(live, live.root.path.appending("linked"), "is, or lies in, the artifacts folder")
        for name in ["outer/.mlflow-backup", "outer/mlflow_backup_20260101_000000"] {
            let outer = live.root.path.appending("outer")
            try Directory.make(outer.appending("x"))
            try Directory.make(live.root.path.appending(name))
            let moved = live.root.path.appending(name).appending("art")
            try Directory.rename(live.artifacts, to: moved)
            defer { try? Directory.rename(moved, to: live.artifacts) }
            var stack = live.workspace(folder: BackupFolder(outer))
            stack = Workspace(live.stack(artifacts: moved), BackupFolder(outer), log: .silent)
            let error = #expect(throws: BackupError.self) {
                try BackupJob(stack, options: .init(), version: "t").run()
            }
            #expect(error?.errorCode == "folders-overlap", "\(String(describing: error))")
        }
    }

    @Test(
        "C1: a bind mount is no disguise", .enabled(if: geteuid() == 0, "mounting needs root"))
    func bound() throws {
        let live = try LiveStackFixture("layout_bound")
        try Shell.sh("cd '\(live.root.path)' && mkdir -p artifacts/part mounted && mount --bind artifacts/part mounted")
        defer { _ = try? Shell.sh("umount '\(live.root.path)/mounted'") }
        try expectRefused(live, live.root.path.appending("mounted/backups"), "is, or lies in, the artifacts folder")
    }

    @Test("artifacts beside the backups in one folder are told of, and work")
    func beside() throws {
        let live = try LiveStackFixture("layout_beside")
        let folder = BackupFolder(live.root.path)
        let workspace = live.workspace(folder: folder)
        let made = try BackupJob(workspace, options: .init(), version: "t").run()
        #expect(made.warnings.contains { $0.english.contains("a broken disk takes both") })
        _ = try RestoreJob(workspace, options: .init(force: true)).run(made.name.string)
        #expect(try Catalogue(folder).items().map(\.name) == [made.name])
    }

    @Test("C21: artifacts and backups behind links are backed up, restored, undone, recovered and claimed")
    func behindLinks() throws {
        let live = try LiveStackFixture("layout_links")
        let (artifacts, backups) = (live.root.path.appending("art-link"), live.root.path.appending("bak-link"))
        try Shell.sh("cd '\(live.root.path)' && ln -s artifacts art-link && ln -s bak2 bak-link && ln -s backups bak2")
        let folder = BackupFolder(backups)
        func workspace() -> Workspace { Workspace(live.stack(artifacts: artifacts), folder, log: .silent) }
        func made() throws -> BackupOutcome {
            try live.awaitOlderTransactions()
            return try BackupJob(workspace(), options: .init(), version: "t").run()
        }
        try BackupPreflight(workspace(), options: .init()).run().throwFirst()
        let first = try made()
        #expect(first.manifest.artifacts.files == 20)
        let (rows, files) = (try live.rows(), try live.files())
        #expect(try made().sharing.copied + made().size > 0)
        try live.add(runs: 21...22)
        let (laterRows, laterFiles) = (try live.rows(), try live.files())
        let restored = try RestoreJob(workspace(), options: .init(force: true)).run(first.name.string)
        #expect(restored.kept != nil)
        #expect(try live.rows() == rows && live.files() == files)
        _ = try UndoJob(workspace(), force: true).run()
        #expect(try live.rows() == laterRows && live.files() == laterFiles)
        #expect(try FileStatus.of(artifacts).kind == .symbolicLink, "the link is still one")

        // Killed between the two swaps, by a service that is configured with the folder itself.
        let journal = try live.interruptRestore(of: first.name.string, swappingDatabases: true)
        #expect(journal.artifacts == live.artifacts.bytes)
        #expect(try RecoverJob(workspace()).run() == .finished(backup: first.name.string, task: nil))
        #expect(try live.rows() == rows && live.files() == files)
        try ClaimJob(workspace()).run()
        _ = try VerifyJob(workspace()).run(first.name.string)
        // The link's own folder is known by both names.
        #expect(try ArtifactsMark.read(in: live.artifacts)?.knows(live.folder) == true)
        #expect(try ArtifactsMark.read(in: live.artifacts)?.knows(folder) == true)
    }

    @Test(
        "C21: a link that leads nowhere, or in a circle, is named with what it says, and nothing is made where it leads"
    )
    func deadLinks() throws {
        let live = try LiveStackFixture("layout_dead")
        try live.backup()
        try Shell.sh("cd '\(live.root.path)' && ln -s gone/art dead && ln -s circle circle && ln -s gone/bak deadbak")
        for name in ["dead", "circle"] {
            let stack = live.stack(artifacts: live.root.path.appending(name))
            for operation in operations(Workspace(stack, live.folder, log: .silent))
            where ["backup", "preflight"].contains(operation.0) {
                let error = #expect(throws: BackupError.self, performing: operation.1)
                #expect(error?.errorCode == "artifacts-missing", "\(String(describing: error))")
                #expect(error?.explanation.english.contains("\(name) -> ") == true)
            }
            let name = try #require(try live.names().first)
            let error = #expect(throws: (any Error).self) {
                try RestoreJob(Workspace(stack, live.folder, log: .silent), options: .init(force: true)).run(name)
            }
            #expect((error as? BackupError)?.errorCode == "artifacts-missing", "\(String(describing: error))")
        }
        let workspace = live.workspace(folder: BackupFolder(live.root.path.appending("deadbak")))
        let error = #expect(throws: BackupError.self) { try workspace.prepareFolder() }
        #expect(error?.explanation.english.contains("gone/bak") == true, "\(String(describing: error))")
        #expect(try FileStatus.ifPresent(live.root.path.appending("gone")) == nil)
    }

    @Test("C20: where neither the backup folder nor the artifacts folder is there, neither is made")
    func bothAway() throws {
        let live = try LiveStackFixture("layout_away")
        try live.backup()
        let aside = live.root.path.appending("aside")
        try Directory.make(aside)
        for name in ["artifacts", "backups"] {
            try Directory.rename(live.root.path.appending(name), to: aside.appending(name))
        }
        for isEmptyFolder in [false, true] {
            if isEmptyFolder { try Directory.make(live.folder.path) }
            let error = #expect(throws: BackupError.self) { try live.workspace().prepareFolder() }
            #expect(error?.errorCode == "artifacts-missing")
            #expect(try FileStatus.ifPresent(live.folder.state) == nil)
            #expect(try FileStatus.ifPresent(live.artifacts) == nil)
        }
        // One disk is back: the other one is still known to be away.
        try Directory.rename(aside.appending("artifacts"), to: live.artifacts)
        let error = #expect(throws: BackupError.self) { try live.backup() }
        #expect(error?.errorCode == "folder-vanished")
    }

    @Test("C20: a restore makes no artifacts folder for a live stack that had one, and fills no empty one in its place")
    func restoreWithoutDisk() throws {
        let live = try LiveStackFixture("layout_restore")
        let name = try live.backup().name.string
        let aside = live.root.path.appending("aside")
        try Directory.rename(live.artifacts, to: aside)
        for mode in RestoreMode.allCases {
            for force in [true, false] {
                let error = #expect(throws: BackupError.self) { try live.restore(name, mode, force: force) }
                #expect(error?.errorCode == "artifacts-missing")
                #expect(try FileStatus.ifPresent(live.artifacts) == nil)
            }
        }
        try Directory.make(live.artifacts)
        let error = #expect(throws: BackupError.self) { try live.restore(name, force: true) }
        #expect(error?.errorCode == "artifacts-emptied")
        #expect(try Directory.names(in: live.artifacts).isEmpty)
        // A person says that it is right.
        try ClaimJob(live.workspace()).run()
        let rows = try live.rows()
        try live.restore(name, force: true)
        #expect(try live.rows() == rows)
        #expect(try Shell.sh("diff -r '\(aside)/1' '\(live.artifacts)/1'").isEmpty)
    }
}
