// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "A swap that was cut short and whose journal is lost: what lies in its folder is not taken for a whole",
    .besideThePool)
struct FragmentTests {
    /// Killed after `1` was put aside and `2` exchanged, before `3`; all that the service knew is lost.
    private func claimed(_ name: String) throws -> (live: LiveStackFixture, id: String, rows: String) {
        let live = try LiveStackFixture(name)
        for child in ["2", "3"] {
            try Shell.sh("mkdir '\(live.artifacts)/\(child)' && echo x > '\(live.artifacts)/\(child)/x'")
        }
        let backup = try live.backup().name.string
        for child in ["1", "2", "3"] { try Shell.sh("echo \(child) > '\(live.artifacts)/\(child)/precious'") }
        try live.add(runs: 30...31)
        let rows = try live.rows()
        let journal = try live.interruptRestore(of: backup, swappingDatabases: true)
        let (new, old) = (journal.swap.new, journal.swap.old)
        for child in ["1", "2"] { try Directory.exchange(new.appending(child), live.artifacts.appending(child)) }
        try Directory.rename(new.appending("1"), to: old.appending("1"))
        try Directory.removeTree(live.folder.path)
        let id = try #require(journal.id)
        #expect(try ClaimJob(live.workspace()).run().halfSwapped == [id])
        return (live, id, rows)
    }

    private func precious(_ live: LiveStackFixture) throws -> [Substring] {
        try Shell.sh("cd '\(live.artifacts)' && ls -d [123]/precious 2>/dev/null || true").split(separator: "\n")
    }

    @Test(
        "it is told of as a part of what was, and an undo moves that back and takes nothing else away, and back again")
    func undone() throws {
        let (live, id, rows) = try claimed("fragment_undone")
        #expect(try precious(live) == ["3/precious"])
        let told = try KeptParts(live.workspace()).warnings()
        #expect(told.contains { $0.english.contains("\(id) comes from a swap that was cut short") }, "\(told)")
        #expect(
            told.contains { $0.english.contains("kept as \(id)_late") && $0.english.contains("not put aside") },
            "\(told)")
        #expect(!told.contains { $0.english.contains("came in during the swap") }, "\(told)")
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(error?.errorCode == "kept-fragment")
        #expect(try precious(live) == ["3/precious"])

        let outcome = try live.undo(force: true)
        #expect(
            outcome.warnings.contains { $0.english.contains("everything else that is live stay") },
            "\(outcome.warnings)")
        #expect(try precious(live) == ["1/precious", "3/precious"])
        #expect(try live.rows() == rows)
        // What it replaced is only some of what was live, too.
        #expect(throws: BackupError.self) { try live.undo() }
        try live.undo(force: true)
        #expect(try precious(live) == ["3/precious"])
        try live.expectNothingLeftBehind()
    }

    /// As an undo that is killed in its swap.
    /// - Parameter swapping: what of it was done by then.
    /// - Returns: its identifier.
    private func beginUndo(
        of part: KeptPart, _ live: LiveStackFixture, _ swapping: (RestoreJournal, Hold) throws -> Void
    ) throws -> String {
        let hold = try live.workspace().hold("test")
        defer { withExtendedLifetime(hold) {} }
        let journal = try UndoJob(live.workspace(), force: true).journal(part, hold)
        try journal.write(in: live.workspace().state)
        try journal.swap.prepare(for: live.folder)
        try KeptParts.mark(KeptParts(live.workspace()).folder(of: part.id), as: .undoing)
        try swapping(journal, hold)
        return try #require(journal.id)
    }

    /// Killed after the databases were swapped and `1` exchanged; `2`, which came after the backup, is what is left of the part.
    @Test(
        "an undo that was cut short: what it was bringing back is no whole either, and what it had replaced is the newest"
    )
    func ofUndo() throws {
        let live = try LiveStackFixture("fragment_undo")
        let backup = try live.backup().name.string
        try Shell.sh(
            "echo 1 > '\(live.artifacts)/1/precious' && mkdir '\(live.artifacts)/2' && echo 2 > '\(live.artifacts)/2/precious'"
        )
        try live.add(runs: 30...31)
        let rows = try live.rows()
        let part = try #require(try live.restore(backup, force: true).kept)
        try Shell.sh("echo since > '\(live.artifacts)/1/since'")
        let since = try live.rows()
        let id = try beginUndo(of: part, live) { journal, hold in
            try hold.databases.swap(
                live: journal.liveDatabase, replacement: journal.newDatabase, keepingOldAs: journal.oldDatabase)
            try Directory.exchange(journal.swap.new.appending("1"), live.artifacts.appending("1"))
        }
        try Shell.sh("rm '\(live.folder.state)'/restore-journal-*.json")
        let claimed = try ClaimJob(live.workspace()).run()
        #expect(claimed.halfSwapped == [id])
        let known = try KeptParts(live.workspace()).identified()
        #expect(try known.restorable().map(\.id) == [id, part.id])
        for kept in try known.restorable() { #expect(try known.isFragment(kept), "\(kept.id)") }
        let told = try known.warnings().map(\.english)
        #expect(!told.contains { $0.contains("If they were moved") }, "\(told)")
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(error?.errorCode == "kept-fragment")

        // The database of before the undo, then what there is of the files.
        #expect(try live.undo(force: true).undone.id == id)
        #expect(try live.rows() == since)
        let rest = try live.undo(force: true)
        #expect(try live.rows() == rows, "\(rest.undone.id)")
        for name in ["1/precious", "2/precious", "1/since"] {
            let found = try Shell.sh("find '\(live.artifacts)' -path '*/\(name)'").split(separator: "\n")
            #expect(found.count == 1, "\(name): \(found)")
        }
    }

    @Test("an undo that is put back leaves the part as whole as it was")
    func putBack() throws {
        let live = try LiveStackFixture("fragment_back")
        let backup = try live.backup().name.string
        try live.add(runs: 30...31)
        let (rows, files) = (try live.rows(), try live.files())
        let part = try #require(try live.restore(backup, force: true).kept)
        _ = try beginUndo(of: part, live) { _, _ in }
        #expect(try live.recover() != .nothingToDo)
        #expect(try !KeptParts(live.workspace()).isFragment(part))
        try live.undo()
        #expect(try live.rows() == rows && live.files() == files)
    }

    @Test("the next loss of all that the service knew makes no whole of it")
    func lostAgain() throws {
        let (live, id, _) = try claimed("fragment_again")
        try Directory.removeTree(live.folder.path)
        #expect(Set(try ClaimJob(live.workspace()).run().kept) == [id, id + "_late"])
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(error?.errorCode == "kept-fragment")
        try live.undo(force: true)
        #expect(try precious(live) == ["1/precious", "3/precious"])
    }

    @Test("where the record of before the swap is there, it says that all was put aside")
    func whole() throws {
        let live = try LiveStackFixture("fragment_whole")
        try Shell.sh("mkdir '\(live.artifacts)/9' && echo nine > '\(live.artifacts)/9/file'")
        let backup = try live.backup().name.string
        let files = try live.files()
        let kept = try #require(try live.restore(backup, force: true).kept)
        let parts = KeptParts(live.workspace())
        try Directory.rename(parts.folder(of: kept.id), to: parts.folder.appending("work-\(kept.id)"))
        #expect(try ClaimJob(live.workspace()).run().halfSwapped == [kept.id])
        #expect(try !parts.isFragment(try parts.part(named: kept.id)))
        try live.undo(force: true)
        #expect(try live.files() == files)
    }

    @Test("a removal that was cut short leaves no whole, also where all that the service knew is lost then")
    func ofRemoval() throws {
        let live = try LiveStackFixture("fragment_removal")
        for child in ["2", "3"] {
            try Shell.sh("mkdir '\(live.artifacts)/\(child)' && echo x > '\(live.artifacts)/\(child)/x'")
        }
        let backup = try live.backup().name.string
        for child in ["1", "2", "3"] { try Shell.sh("echo \(child) > '\(live.artifacts)/\(child)/precious'") }
        let part = try #require(try live.restore(backup, .artifacts, force: true).kept)
        let tree = KeptParts(live.workspace()).tree(of: part)
        let stuck = tree.appending("3")
        try Shell.sh("chattr +i '\(stuck)'")
        #expect(throws: BackupError.self) { try ForgetJob(live.workspace()).run(part.id) }
        try Shell.sh("chattr -i '\(stuck)'")
        try Shell.sh(
            "rm -rf '\(tree)/2' && echo 1 > '\(live.artifacts)/1/since' && echo 2 > '\(live.artifacts)/2/since'")
        try Directory.removeTree(live.folder.path)
        try ClaimJob(live.workspace()).run()
        let told = try KeptParts(live.workspace()).warnings().map(\.english)
        #expect(told.contains { $0.contains(part.id) && $0.contains("removal") }, "\(told)")
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(error?.errorCode == "kept-fragment")
        // What is left comes back, and nothing else goes.
        try live.undo(force: true)
        #expect(try Shell.sh("ls '\(live.artifacts)/2/since'").contains("since"))
        #expect(try Shell.sh("ls '\(live.artifacts)/3'").contains("precious"))
    }

    @Test("of a removal that is done but for its folder a claim makes no part")
    func emptied() throws {
        let live = try LiveStackFixture("fragment_emptied")
        let part = try #require(try live.restore(try live.backup().name.string, force: true).kept)
        let parts = KeptParts(live.workspace())
        try ForgetJob(live.workspace()).run(part.id)
        try Directory.make(parts.folder, mode: 0o700)
        try Directory.make(parts.folder(of: part.id), mode: 0o700)
        try KeptParts.mark(parts.folder(of: part.id), as: .removing)
        try Directory.removeTree(live.folder.path)
        #expect(try ClaimJob(live.workspace()).run().kept == [])
        #expect(try FileStatus.ifPresent(parts.folder) == nil)
    }

    /// Killed after the databases were swapped, before any file was.
    @Test("a claim that is cut short leaves no whole: the part is marked before it has a record")
    func ofClaim() throws {
        let live = try LiveStackFixture("fragment_claim")
        let backup = try live.backup().name.string
        try live.add(runs: 30...31)
        let journal = try live.interruptRestore(of: backup, swappingDatabases: true)
        try Directory.removeTree(live.folder.path)
        let id = try #require(journal.id)
        let work = journal.swap.work
        try Directory.removeTree(work.appending("old"))
        // The claim gets as far as the first that it makes or moves in there.
        try Shell.sh("chattr +i '\(work)'")
        #expect(throws: SystemError.self) { try ClaimJob(live.workspace()).run() }
        try Shell.sh("chattr -i '\(work)'")
        #expect(try ClaimJob(live.workspace()).run().kept == [id])
        let parts = KeptParts(live.workspace())
        #expect(try parts.isFragment(try parts.part(named: id)))
    }

    @Test("one whose files were moved away is a fragment still, and it is said that the database alone came back")
    func movedAway() throws {
        let (live, id, rows) = try claimed("fragment_moved")
        let parts = KeptParts(live.workspace())
        let (tree, aside) = (parts.folder(of: id).appending("old"), live.root.path.appending("aside"))
        try Directory.rename(tree, to: aside)
        let files = try live.files()
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(error?.errorCode == "kept-fragment")
        let outcome = try live.undo(force: true)
        #expect(try live.rows() == rows && live.files() == files)
        let told = outcome.warnings.map(\.english)
        #expect(told.contains { $0.contains("The database alone was brought back") }, "\(told)")
        #expect(!told.contains { $0.contains("moves back what is there") }, "\(told)")
        // What it replaced, the database, is whole.
        #expect(try !parts.isFragment(try #require(outcome.kept)))
    }
}
