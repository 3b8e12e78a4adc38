// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A restore is taken back", .besideThePool)
struct UndoTests {
    /// Two states of a stack: a backup of the first, the second live.
    private func twoStates(_ name: String) throws -> (
        LiveStackFixture, backup: String, before: [String], after: [String]
    ) {
        let live = try LiveStackFixture(name)
        sleep(3)
        let made = try live.backup()
        let before = [try live.rows(), try live.files()]
        try Connection(live.database).execute("update metrics set value = 99 where run_uuid = 'run2'")
        try live.add(runs: 21...23)
        try Shell.sh(
            "rm -r '\(live.artifacts)/1/run9'; mkdir -p '\(live.artifacts)/7'; echo top > '\(live.artifacts)/7/f'")
        return (live, made.name.string, before, [try live.rows(), try live.files()])
    }

    @Test("what it replaced is live again, and the undo can be undone")
    func backAndForth() throws {
        let (live, name, before, after) = try twoStates("undo")
        let restored = try live.restore(name, force: true)
        #expect([try live.rows(), try live.files()] == before)
        let kept = try #require(restored.kept)
        #expect(kept.replaced.total > 0)
        #expect(kept.coveredBy == nil, "no backup was made first, and it held newer data")

        try live.undo()
        #expect([try live.rows(), try live.files()] == after)
        try live.expectNothingLeftBehind()
        let parts = try KeptParts(live.stack, live.folder).all()
        #expect(parts.count == 1)
        #expect(parts.first?.id != kept.id)
        #expect(parts.first?.coveredBy == name)

        try live.undo()
        #expect([try live.rows(), try live.files()] == before)
        try live.expectNothingLeftBehind()
        try live.backup()
    }

    @Test("not silently, where something was written since: a row, a file, a file written in place")
    func guarded() throws {
        let (live, name, _, after) = try twoStates("undo_guarded")
        try live.restore(name, force: true)
        let changes: [() throws -> Void] = [
            { try Connection(live.database).execute("insert into registered_models values ('late', 1)") },
            { try Shell.sh("echo late > '\(live.artifacts)/1/run1/artifacts/late.txt'") },
            // As shutil.copy2 does it: the same inode, an old time. The kept tree has this very file.
            {
                let path = live.artifacts.appending("1/run3/artifacts/model.bin")
                try Shell.sh("printf late | dd of='\(path)' conv=notrunc status=none; touch -d 2001-01-01 '\(path)'")
            },
        ]
        for change in changes {
            try change()
            let now = [try live.rows(), try live.files()]
            let error = #expect(throws: BackupError.self) { try live.undo() }
            guard case .newerData(name, let newer)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(newer.total >= 1)
            #expect([try live.rows(), try live.files()] == now)
        }
        let forced = try live.undo(force: true)
        #expect(forced.replaced.total == 3, "\(forced.replaced)")
        // Also the file that was written in place is what it was before the restore.
        #expect([try live.rows(), try live.files()] == after)
        try live.expectNothingLeftBehind()
    }

    @Test("where there was no database before, the files come back and the restored database stays")
    func withoutDatabase() throws {
        let live = try LiveStackFixture("undo_none")
        let name = try live.backup().name.string
        let rows = try live.rows()
        try Databases(live.database).drop(live.database.database)
        try Shell.sh("rm -r '\(live.artifacts)/1/run9'")
        let files = try live.files()
        try live.restore(name)
        try live.undo()
        #expect(try live.files() == files)
        #expect(try live.rows() == rows)
        try live.expectNothingLeftBehind()
    }

    @Test("says so where there is nothing to take back")
    func nothing() throws {
        let live = try LiveStackFixture("undo_nothing")
        #expect(throws: BackupError.nothingToUndo) { try live.undo() }
    }

    @Test(
        "whose backup was deleted or is damaged since: told, refused unforced, and with force all comes back",
        arguments: [false, true])
    func withoutItsBackup(isDamaged: Bool) throws {
        let (live, name, _, after) = try twoStates("undo_deleted_\(isDamaged)")
        let kept = try #require(try live.restore(name, force: true).kept)
        // Linked elsewhere: a file that both trees share looks written to.
        let shared = live.artifacts.appending("1/run3/artifacts/model.bin")
        try Shell.sh("ln '\(shared)' '\(live.root.path)/elsewhere'; rm '\(live.root.path)/elsewhere'")
        if isDamaged {
            try Shell.sh("truncate -s 1000 '\(live.folder.path.appending(name))'")
        } else {
            let told = try DeleteJob(live.workspace()).run(name)
            #expect(told.count == 1 && told[0].english.contains(kept.id) && told[0].chinese.contains(kept.id))
        }
        let refused = #expect(throws: BackupError.self) { try live.undo() }
        #expect(refused?.errorCode == "newer-data")
        #expect(refused?.explanation.english.contains("cannot be told any more") == true, "\(refused as Any)")
        let outcome = try live.undo(force: true)
        #expect([try live.rows(), try live.files()] == after)
        #expect(outcome.warnings.contains { $0.english.contains("1/run3/artifacts/model.bin") }, "\(outcome.warnings)")
    }
}
