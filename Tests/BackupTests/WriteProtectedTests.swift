// SPDX-License-Identifier: Apache-2.0

import Archive
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "C55: a backup folder that nobody can write to is what one restores from",
    .enabled(if: WriteProtectedFolder.canMount, "only who may mount can make one here"), .besideThePool)
struct WriteProtectedTests {
    /// A stack with one good backup, which has moved on since.
    private func moved(_ name: String) throws -> (live: LiveStackFixture, backup: String, rows: String, files: String) {
        let live = try LiveStackFixture(name)
        let backup = try live.backup().name.string
        let (rows, files) = (try live.rows(), try live.files())
        try Connection(live.database).execute("delete from metrics")
        try live.add(runs: 30...31)
        try Shell.sh("rm -r '\(live.artifacts)/1/run3' && echo other > '\(live.artifacts)/1/run5/artifacts/model.bin'")
        return (live, backup, rows, files)
    }

    private func listing(_ folder: FilePath) throws -> String {
        try Shell.sh("find '\(folder)' -printf '%P %s %T@ %m\n' | sort")
    }

    private func code(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return (error as? BackupError)?.errorCode ?? "\(error)" }
        return nil
    }

    @Test(
        "What reads works and leaves no trace; what writes is refused at once", arguments: WriteProtectedFolder.allCases
    )
    func readsAndRefusals(_ kind: WriteProtectedFolder) throws {
        let (live, backup, _, _) = try moved("reads")
        let second = try live.backup().name.string
        try kind.around(live.folder) {
            let before = try listing(live.folder.path)
            #expect(Set(try live.names()) == [backup, second])
            let verified = try VerifyJob(live.workspace()).run(backup)
            #expect(verified.notes.contains { $0.english.contains("not recorded") }, "\(verified.notes)")
            #expect(verified.digest.count == 64)
            #expect(try BackupContents(Catalogue(live.folder).item(named: backup)).records().next() != nil)
            #expect(try live.recover() == .nothingToDo)
            #expect(RecoverJob(live.workspace()).unsettled() == nil)

            let refused = "backup-folder-write-protected"
            #expect(code { try live.backup() } == refused)
            #expect(code { _ = try DeleteJob(live.workspace()).run(backup) } == refused)
            #expect(code { _ = try PruneJob(live.workspace(), rule: .count(1)).run() } == refused)
            #expect(code { _ = try AcceptJob(live.workspace()).run(backup) } == refused)
            #expect(code { _ = try ClaimJob(live.workspace()).run() } == refused)
            let findings = BackupPreflight(live.workspace(), options: .init(kind: .compressed, retention: .default))
                .run()
            #expect((findings.first(.backupFolder)?.obstacle as? BackupError)?.errorCode == refused)
            #expect(findings.first(.backupFolder)?.text.english.contains("set BACKUP_DIR") == true)
            #expect(try listing(live.folder.path) == before)
            #expect(try FileStatus.ifPresent(live.workspace().state.beside) == nil)
        }
        try live.backup()
    }

    @Test("A damaged backup is found damaged, though that cannot be noted")
    func damage() throws {
        let (live, backup, _, _) = try moved("damage")
        try Shell.invertByte(of: live.folder.path.appending(backup), at: 20_000)
        try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            let error = #expect(throws: (any Error).self) { try VerifyJob(live.workspace()).run(backup) }
            #expect(error?.isDamage == true, "\(String(describing: error))")
        }
    }

    @Test(
        "A restore from it, its undo, and forgetting",
        arguments: TestForm.oneIn(
            3, of: WriteProtectedFolder.allCases, with: [RestoreMode.full, .database, .artifacts]))
    func restores(_ kind: WriteProtectedFolder, _ mode: RestoreMode) throws {
        // Every mode from the mount that is met most, and all of it from each.
        guard mode == .full || kind == .readOnlyMount else { return }
        let (live, backup, rows, files) = try moved("restores")
        let (movedRows, movedFiles) = (try live.rows(), try live.files())
        try kind.around(live.folder) {
            let before = try listing(live.folder.path)
            // A second service, or a mistake, asks without force first.
            #expect(code { try live.restore(backup, mode) } == "newer-data")
            try live.expectNothingLeftBehind()
            let outcome = try live.restore(backup, mode, force: true)
            let kept = try #require(outcome.kept)
            #expect(try live.rows() == (mode == .artifacts ? movedRows : rows))
            #expect(try live.files() == (mode == .database ? movedFiles : files))
            #expect(try KeptParts(live.stack, live.folder).all().map(\.id) == [kept.id])
            try live.expectNothingLeftBehind()

            let undone = try live.undo()
            #expect(undone.undone.id == kept.id)
            #expect(try live.rows() == movedRows)
            #expect(try live.files() == movedFiles)
            let again = try #require(undone.kept)
            try ForgetJob(live.workspace()).run(again.id)
            #expect(try KeptParts(live.stack, live.folder).all().isEmpty)
            try live.expectNothingLeftBehind()
            #expect(try FileStatus.ifPresent(live.artifacts.appending(ArtifactSwap.folderName)) == nil)
            #expect(try listing(live.folder.path) == before)
        }
    }

    @Test(
        "What a restore kept is found whatever the folder is afterwards, writable or another one, and nothing there replaces it"
    )
    func keptIsFoundLater() throws {
        let (live, backup, _, _) = try moved("later")
        let movedRows = try live.rows()
        let kept = try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            try #require(try live.restore(backup, force: true).kept)
        }
        #expect(kept.coveredBy == nil || kept.coveredBy == backup)
        let other = BackupFolder(live.root.path.appending("other"))
        for folder in [live.folder, other] {
            #expect(try KeptParts(live.stack, folder).all().map(\.id) == [kept.id])
        }
        // A backup into another folder leaves it, too; a restore there gets the next number.
        let made = try BackupJob(
            live.workspace(Cancellation(), { _ in }, other), options: .init(kind: .compressed, retention: .default),
            version: "test"
        ).run()
        let next = try RestoreJob(
            live.workspace(Cancellation(), { _ in }, other), options: .init(mode: .full, force: true)
        ).run(made.name.string)
        let parts = try KeptParts(live.stack, other).all()
        #expect(parts.map(\.id) == [next.kept?.id, kept.id].compactMap { $0 })
        // From the first one the newest is another service's, whose record it does not have: it is not taken for undone.
        if let newer = next.kept { try ForgetJob(live.workspace(Cancellation(), { _ in }, other)).run(newer.id) }
        #expect(try live.undo(force: true).undone.id == kept.id)
        #expect(try live.rows() == movedRows)
    }

    @Test("A part that was kept before the folder was write-protected comes back, and is then only remembered there")
    func keptBefore() throws {
        let (live, backup, rows, files) = try moved("before")
        let (movedRows, movedFiles) = (try live.rows(), try live.files())
        let first = try #require(try live.restore(backup, force: true).kept)
        try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            let undone = try live.undo()
            #expect(undone.undone.id == first.id)
            #expect(try live.rows() == movedRows)
            #expect(try live.files() == movedFiles)
            let second = try #require(undone.kept)
            // Its record cannot be removed, and counts no more.
            #expect(try KeptParts(live.stack, live.folder).all().map(\.id) == [second.id])
            #expect(try live.undo().undone.id == second.id)
            #expect(try live.rows() == rows)
            #expect(try live.files() == files)
            #expect(try live.recover() == .nothingToDo)
        }
        try live.backup()
    }

    @Test("Force wants a place for its backup, and says so before anything else")
    func force() throws {
        let (live, backup, rows, _) = try moved("force")
        let first = RestoreJob.Options.BackupFirst(
            options: .init(kind: .compressed, retention: .default), version: "test")
        try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            let job = RestoreJob(live.workspace(), options: .init(mode: .full, force: true, backupFirst: first))
            let item = try Catalogue(live.folder).item(named: backup)
            #expect(code { try job.preflight(item) } == "no-place-for-backup")
            #expect(code { _ = try job.run(backup) } == "no-place-for-backup")
            try live.restore(backup, force: true)
            try Connection(live.database).execute("insert into runs values ('newer', 1790000099000, 1)")
            #expect(
                code { _ = try UndoJob(live.workspace(), force: true, backupFirst: first).run() }
                    == "no-place-for-backup")
            #expect(try live.rows() != rows)
            try live.undo(force: true)
        }
    }

    @Test("One at a time: a restore is seen at work, and another waits for it")
    func oneAtATime() throws {
        let (live, backup, _, _) = try moved("one")
        try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            let other = BackupFolder(live.root.path.appending("other"))
            try live.interruptRestore(of: backup) { _, _, _ in
                try other.prepare()
                for folder in [live.folder, other] {
                    #expect(RecoverJob(live.workspace(Cancellation(), { _ in }, folder)).unsettled() == nil)
                }
                var impatient = live.workspace()
                impatient.waitSeconds = 0.1
                #expect(code { _ = try impatient.hold("a second one") } == "busy")
            }
            #expect(RecoverJob(live.workspace()).unsettled() != nil)
            #expect(RecoverJob(live.workspace(Cancellation(), { _ in }, other)).unsettled() != nil)
            #expect(RecoverJob(live.workspace(Cancellation(), { _ in }, other)).isNeeded)
            try live.recover()
        }
    }

    @Test("What a client of MLflow puts where the journal would be is believed by nobody")
    func forgery() throws {
        let (live, backup, rows, _) = try moved("forgery")
        let state = live.workspace().state
        try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            let journal = try live.interruptRestore(of: backup, swappingDatabases: false)
            let whole = try Shell.sh("cat '\(state.beside)/restore-journal-\(journal.id ?? "").json'")
            try live.recover()
            for (folder, file) in [("0755", "0644"), ("0700", "0600"), ("1700", "0600"), ("0700", "0400")] {
                try Shell.sh(
                    """
                    mkdir -p '\(state.beside)' && chmod 0700 '\(state.beside.parent)' && chmod \(folder) '\(state.beside)' &&
                    rm -f '\(state.beside)'/* && printf '%s\n' '\(whole)' > '\(state.beside)/restore-journal-\(journal.id ?? "").json' &&
                    chmod \(file) '\(state.beside)'/*
                    """)
                #expect(try !RestoreJournal.isPresent(live.stack, live.folder), "\(folder) \(file)")
                #expect(try live.recover() == .nothingToDo)
            }
            try live.restore(backup, force: true)
            #expect(try live.rows() == rows)
            #expect(try !RestoreJournal.isPresent(live.stack, live.folder))
        }
    }

    @Test("A folder of another user, who does not even open our own part of it")
    func anotherUser() throws {
        let (live, backup, rows, files) = try moved("user")
        let user: UInt32 = 6500
        try Shell.sh(
            """
            chown -R \(user):\(user) '\(live.artifacts)' && chmod 0755 '\(live.root.path)' '\(live.folder.path)' &&
            chmod 0700 '\(live.folder.state)' && chmod 0644 '\(live.folder.path)'/mlflow*
            """)
        try OrdinaryUser.run(user) {
            #expect(live.folder.writeProtection?.reason.english.contains("the user \(user) may not write") == true)
            let verified = try VerifyJob(live.workspace()).run(backup)
            #expect(verified.notes.count == 1)
            let kept = try #require(try live.restore(backup, force: true).kept)
            #expect(try live.rows() == rows)
            #expect(try live.files() == files)
            #expect(try live.undo().undone.id == kept.id)
            #expect(try live.rows() != rows)
            #expect(code { try live.backup() } == "backup-folder-write-protected")
        }
        // Its owner finds what was kept.
        #expect(try KeptParts(live.stack, live.folder).all().count == 1)
    }

    @Test(
        "A disk that the kernel made read-only is no write-protected medium: the reason says so, and one restores from it all the same"
    )
    func readOnlyByError() throws {
        let (live, backup, rows, files) = try moved("error")
        let (path, disk) = (live.folder.path, live.root.path.appending("disk"))
        try Shell.sh(
            """
            truncate -s 24M '\(disk).img' && mkfs.ext4 -q -d '\(path)' '\(disk).img' && mkdir '\(disk)' &&
            mount -o loop '\(disk).img' '\(disk)' && mount --bind '\(disk)' '\(path)' && mount -o remount,ro '\(disk)'
            """)
        defer { _ = try? Shell.sh("umount '\(path)'; umount '\(disk)'") }
        #expect(live.folder.writeProtection?.isByError == true)
        let error = #expect(throws: BackupError.self) { try live.backup() }
        #expect(error?.explanation.english.contains("dmesg") == true)
        try live.restore(backup, force: true)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.undo()
    }

    @Test("A journal of this stack in a folder that became write-protected is named, with what to do")
    func frozenJournal() throws {
        let (live, backup, _, _) = try moved("frozen")
        let rows = try live.rows()
        try live.interruptRestore(of: backup, at: .preparing)
        try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            let error = #expect(throws: BackupError.self) { try live.recover() }
            #expect(error?.errorCode == "needs-recovery")
            #expect(error?.explanation.english.contains("make that folder writable") == true)
            #expect(code { try live.restore(backup, force: true) } == "needs-recovery")
        }
        #expect(try live.recover() == .undone(backup: backup, task: nil))
        #expect(try live.rows() == rows)
        try live.expectNothingLeftBehind()
    }
}
