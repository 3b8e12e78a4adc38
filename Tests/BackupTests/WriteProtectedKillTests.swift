// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite(
    "C55: a restore from a folder that nobody can write to, killed at any step",
    .enabled(if: WriteProtectedFolder.canMount, "only who may mount can make one here"), .besideThePool)
struct WriteProtectedKillTests {
    /// From where the recovery is run.
    enum From: CaseIterable { case there, thereWritable, elsewhere }

    @Test(
        arguments: TestForm.oneIn(
            2, of: [InterruptionTests.Stage.preparing, .beforeDatabases, .afterDatabases, .someChildren, .allChildren],
            with: From.allCases))
    func endsEntirelyOldOrEntirelyNewWhereverItIsRecovered(_ stage: InterruptionTests.Stage, _ from: From) throws {
        let live = try LiveStackFixture("rostage")
        let (newRows, newFiles) = (try live.rows(), try live.files())
        let name = try live.backup().name.string
        try Connection(live.database).execute("delete from metrics")
        try live.add(runs: 30...31)
        try Shell.sh(
            "mv '\(live.artifacts)/1' '\(live.artifacts)/7' && mkdir '\(live.artifacts)/1' && echo old > '\(live.artifacts)/1/old'"
        )
        let (oldRows, oldFiles) = (try live.rows(), try live.files())
        let other = BackupFolder(live.root.path.appending("other"))

        func recover() throws {
            let folder = from == .elsewhere ? other : live.folder
            let outcome = try RecoverJob(live.workspace(Cancellation(), { _ in }, folder)).run()
            if [.preparing, .beforeDatabases].contains(stage) {
                #expect(outcome == .undone(backup: name, task: nil))
                #expect(try live.rows() == oldRows)
                #expect(try live.files() == oldFiles)
            } else {
                #expect(outcome == .finished(backup: name, task: nil))
                #expect(try live.rows() == newRows)
                #expect(try live.files() == newFiles)
                #expect(try KeptParts(live.stack, other).restorable().count == 1)
            }
            try live.expectNothingLeftBehind()
            #expect(try live.recover() == .nothingToDo)
        }
        try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            let journal = try live.interruptRestore(
                of: name, at: stage.written, swappingDatabases: ![.preparing, .beforeDatabases].contains(stage))
            if stage == .someChildren {
                // Exchanged, and not yet put aside.
                try Directory.exchange(journal.swap.new.appending("1"), live.artifacts.appending("1"))
            } else if stage == .allChildren {
                try journal.swap.forward(try #require(journal.plan))
            }
            // Cut short while the journal was written once more.
            try Shell.sh("touch '\(live.workspace().state.beside)/restore-journal-x.json.1-1.partial'")
            if from == .there { try recover() }
        }
        if from != .there { try recover() }
        try live.backup()
    }

    @Test func killedAtRandomMomentsTheDataIsOneOrTheOther() throws {
        let binary = ProcessInfo.processInfo.environment["MLFLOW_BACKUP_BINARY"] ?? ""
        try #require(!binary.isEmpty, "MLFLOW_BACKUP_BINARY is not set: run scripts/test")
        let live = try LiveStackFixture("rokill")
        let good = try live.backup().name.string
        let (newRows, newFiles) = (try live.rows(), try live.files())
        try Connection(live.database).execute("delete from metrics where run_uuid < 'run3'")
        try Directory.removeTree(live.artifacts.appending("1/run7"))
        let (oldRows, oldFiles) = (try live.rows(), try live.files())
        let environment = live.environment(["BACKUP_SCHEDULE": "off", "DOCKER_HOST": "unix:///nowhere"])
        try WriteProtectedFolder.readOnlyMount.around(live.folder) {
            for round in 0..<12 {
                let command =
                    round % 3 == 2
                    ? "restore --quiet --undo --force --no-backup" : "restore --quiet --force --no-backup \(good)"
                let delay = Double(round) * 0.07
                try Shell.sh(
                    """
                    '\(binary)' \(command) >/dev/null 2>&1 & child=$!
                    sleep \(delay); kill -9 $child 2>/dev/null || true; wait $child 2>/dev/null || true
                    """, environment: environment)
                try Shell.run(FilePath(binary), ["recover"], environment: environment)
                let (rows, files) = (try live.rows(), try live.files())
                let isOld = rows == oldRows && files == oldFiles
                let isNew = rows == newRows && files == newFiles
                #expect(isOld || isNew, "round \(round) left a mixture")
            }
            try Shell.run(
                FilePath(binary), ["restore", "--quiet", "--force", "--no-backup", good], environment: environment)
            #expect(try live.rows() == newRows)
            #expect(try live.files() == newFiles)
            try live.expectNothingLeftBehind()
        }
    }
}
