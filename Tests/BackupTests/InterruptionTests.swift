// SPDX-License-Identifier: Apache-2.0

import Archive
import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// Crashes at each stage of a restore, a swap that fails half way, a killed program.
@Suite(.besideThePool) struct InterruptionTests {
    /// Where the crash is put.
    enum Stage: CaseIterable {
        case preparing, beforeDatabases, afterDatabases, someChildren, allChildren, committed

        /// What the journal says then.
        var written: RestoreJournal.Stage {
            switch self {
            case .preparing: .preparing
            case .beforeDatabases, .afterDatabases, .someChildren, .allChildren: .committing
            case .committed: .committed
            }
        }
    }

    @Test(arguments: Stage.allCases)
    func aCrashAtAnyStageEndsEntirelyOldOrEntirelyNew(_ stage: Stage) throws {
        let live = try LiveStackFixture("stage")
        let (newRows, newFiles) = (try live.rows(), try live.files())
        let name = try live.backup().name.string
        // The live data moves on: other rows, one child gone, one child more.
        try Connection(live.database).execute("delete from metrics")
        try live.add(runs: 30...31)
        try Directory.make(live.artifacts.appending("2/run99"))
        try Shell.sh(
            "mv '\(live.artifacts)/1' '\(live.artifacts)/7' && mkdir '\(live.artifacts)/1' && echo old > '\(live.artifacts)/1/old'"
        )
        let (oldRows, oldFiles) = (try live.rows(), try live.files())

        let journal = try live.interruptRestore(
            of: name, at: stage.written, swappingDatabases: ![.preparing, .beforeDatabases].contains(stage))
        switch stage {
        case .preparing, .beforeDatabases, .afterDatabases: break
        case .someChildren:
            // Exchanged, and not yet put aside.
            try Directory.exchange(journal.swap.new.appending("1"), live.artifacts.appending("1"))
        case .allChildren, .committed: try journal.swap.forward(try #require(journal.plan))
        }

        let outcome = try live.recover()
        if [.preparing, .beforeDatabases].contains(stage) {
            #expect(outcome == .undone(backup: name, task: nil))
            #expect(try live.rows() == oldRows)
            #expect(try live.files() == oldFiles)
        } else {
            #expect(outcome == .finished(backup: name, task: nil))
            #expect(try live.rows() == newRows)
            #expect(try live.files() == newFiles)
        }
        try live.expectNothingLeftBehind()
        #expect(try live.recover() == .nothingToDo)
        try live.backup()
    }

    @Test func aSwapThatFailsHalfWayPutsEverythingBack() throws {
        let live = try LiveStackFixture("halfway")
        let name = try live.backup().name.string
        try Connection(live.database).execute("delete from metrics")
        // What is immutable cannot be renamed: the swap fails after the databases, on the last child. Where it was so before,
        // the restore would have been refused.
        let stuck = live.artifacts.appending("zz")
        try Directory.make(stuck)
        try Shell.sh("echo live > '\(stuck)/file'")
        defer { _ = try? Shell.sh("chattr -i '\(stuck)'") }
        let (rows, files) = (try live.rows(), try live.files())
        #expect(throws: SystemError.self) {
            try live.restore(
                name, force: true,
                progress: { if $0.phase == .comparing { _ = try? Shell.sh("chattr +i '\(stuck)'") } })
        }
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
        try Shell.sh("chattr -i '\(stuck)'")
        try live.restore(name, force: true)
        #expect(try live.rows() != rows)
    }

    @Test func theArtifactsFolderMayBeAMountPointWithLostAndFound() throws {
        let live = try LiveStackFixture("mount")
        try Shell.sh("mount -t tmpfs -o size=16m tmpfs '\(live.artifacts)' && mkdir '\(live.artifacts)/lost+found'")
        defer { _ = try? Shell.sh("umount '\(live.artifacts)'") }
        try live.add(runs: 40...45)
        let name = try live.backup().name.string
        let files = try live.files()
        try Shell.sh("rm -r '\(live.artifacts)/1'")
        try live.restore(name)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
    }

    @Test func aFullDiskFailsClearlyAndTheNextRunWorks() throws {
        let live = try LiveStackFixture("full")
        try Directory.make(live.folder.path)
        try Shell.sh("mount -t tmpfs -o size=24m tmpfs '\(live.folder.path)'")
        try live.prepareAnew()
        defer { _ = try? Shell.sh("umount '\(live.folder.path)'") }
        // What is there before is counted, and refused.
        #expect {
            try live.backup { progress in
                guard progress.phase == .dumping else { return }
                _ = try? Shell.sh("head -c 30000000 /dev/urandom > '\(live.artifacts)/1/big'")
            }
        } throws: { error in
            (error as? SystemError)?.isFull == true
        }
        #expect(try live.names().isEmpty)
        #expect(try Directory.names(in: live.folder.staging).isEmpty)
        try Shell.sh("rm '\(live.artifacts)/1/big'")
        try live.backup()
        #expect(try live.names().count == 1)
        try Shell.sh("head -c 1000000000 /dev/zero > '\(live.folder.path)/filler' || true")
        #expect {
            try live.backup()
        } throws: { error in
            if case .notEnoughRoom = error as? BackupError { true } else { false }
        }
        #expect(try live.names().count == 1)
    }

    @Test func killedAtRandomMomentsNoPartialIsListedAndTheDataIsOneOrTheOther() throws {
        let binary = ProcessInfo.processInfo.environment["MLFLOW_BACKUP_BINARY"] ?? ""
        try #require(!binary.isEmpty, "MLFLOW_BACKUP_BINARY is not set: run scripts/test")
        let live = try LiveStackFixture("kill")
        let good = try live.backup().name.string
        let (newRows, newFiles) = (try live.rows(), try live.files())
        try Connection(live.database).execute("delete from metrics where run_uuid < 'run3'")
        try Directory.removeTree(live.artifacts.appending("1/run7"))
        let (oldRows, oldFiles) = (try live.rows(), try live.files())
        for round in 0..<24 {
            let command = round % 2 == 0 ? "backup --quiet --max-backups 3" : "restore --quiet --force \(good)"
            // Killed at another moment each time, from its start to a little after its usual end.
            let delay = Double(round) * 0.045
            try Shell.sh(
                """
                '\(binary)' \(command) >/dev/null 2>&1 & child=$!
                sleep \(delay); kill -9 $child 2>/dev/null || true; wait $child 2>/dev/null || true
                """, environment: live.environment())
            try Shell.run(FilePath(binary), ["recover"], environment: live.environment())
            let (rows, files) = (try live.rows(), try live.files())
            let isOld = rows == oldRows && files == oldFiles
            let isNew = rows == newRows && files == newFiles
            #expect(isOld || isNew, "round \(round) left a mixture")
            for item in try Catalogue(live.folder).items() {
                #expect(item.status == .completed || item.status == .unverified, "round \(round): \(item)")
                if item.status == .unverified { try Verification(live.folder, log: .silent).run(item) }
            }
            try live.expectNothingLeftBehind()
        }
        let name = try live.backup().name.string
        try live.restore(name, force: true)
        #expect(try Directory.names(in: live.folder.staging).isEmpty)
    }

    /// It found no journal where it could not look, and said that all was well.
    @Test func aRecoveryThatCannotLookFails() throws {
        let live = try LiveStackFixture("cannot_look")
        try live.interruptRestore(of: try live.backup().name.string, swappingDatabases: true)
        let aside = live.root.path.appending("state")
        try Directory.rename(live.folder.state, to: aside)
        try Shell.sh("touch '\(live.folder.state)'")
        #expect(throws: SystemError.self) { try RecoverJob(live.workspace()).run() }
        try Shell.sh("rm '\(live.folder.state)'")
        try Directory.rename(aside, to: live.folder.state)
        #expect(try RecoverJob(live.workspace()).run() != .nothingToDo)
        try live.expectNothingLeftBehind()
    }
}
