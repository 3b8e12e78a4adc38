// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// Somebody else was first: what was asked for was seen before the locks were had.
@Suite("What somebody asked for, and what happened before its turn came", .besideThePool)
struct MeanwhileTests {
    /// Lets `body` work on a workspace that finds the folder held, and runs `meanwhile` between what it saw and its turn.
    private func after(
        _ live: LiveStackFixture, _ meanwhile: @escaping @Sendable () throws -> Void, _ body: (Workspace) throws -> Void
    ) throws {
        nonisolated(unsafe) var hold: Hold? = try live.workspace().hold("test")
        try body(
            live.workspace(Cancellation()) { step in
                guard step.phase == .waiting, hold != nil else { return }
                hold = nil
                do { try meanwhile() } catch { Issue.record(error) }
            })
        #expect(hold == nil, "it did not wait")
    }

    private func kept(_ live: LiveStackFixture) throws -> [String] { try KeptParts(live.workspace()).all().map(\.id) }

    @Test("A part that an undo brought back meanwhile is not said to be removed")
    func forgetAfterUndo() throws {
        let live = try LiveStackFixture("meanwhile_forget")
        let name = try live.backup().name.string
        try live.add(runs: 21...21)
        try live.restore(name, force: true)
        let id = try #require(try kept(live).first)
        try after(live, { try live.undo() }) { workspace in
            #expect(throws: BackupError.noSuchKeptPart(id: id)) { try ForgetJob(workspace).run(id) }
        }
        #expect(try live.rows().contains("run21"), "it is live")
    }

    @Test("Nor one that an interrupted undo had begun to bring back")
    func forgetDuringUndo() throws {
        let live = try LiveStackFixture("meanwhile_settled")
        let name = try live.backup().name.string
        try live.add(runs: 21...21)
        try live.restore(name, .database, force: true)
        let part = try #require(try KeptParts(live.workspace()).all().first)
        let id = RestoreJournal.newID()
        let (was, brought) = (live.database.database, try #require(part.database))
        let databases = Databases(live.database)
        let journal = RestoreJournal(
            format: RestoreJournal.currentFormat, id: id, kind: .undo, stack: part.stack, backup: name,
            mode: .database, stage: .committing, liveDatabase: was, newDatabase: brought,
            oldDatabase: RestoreJournal.databaseName(was, "before", id), newOID: part.databaseOID,
            oldOID: try databases.oid(of: was), hadDatabase: true, artifacts: live.artifacts.bytes,
            incoming: "kept-\(part.id)/old", undoes: part.id)
        try journal.write(in: live.folder)
        try journal.swap.prepare()
        try databases.swap(live: was, replacement: brought, keepingOldAs: journal.oldDatabase)
        #expect(throws: BackupError.noSuchKeptPart(id: part.id)) { try ForgetJob(live.workspace()).run(part.id) }
        #expect(try live.rows().contains("run21"), "it is live")
        #expect(try kept(live) == [id])
    }

    @Test("A part that could go, and goes while its removal is asked for, is removed")
    func forgetExpired() throws {
        let live = try LiveStackFixture("meanwhile_expired")
        try live.restore(live.backup().name.string)
        let id = try #require(try kept(live).first)
        var workspace = live.workspace()
        workspace.keepSeconds = 0
        #expect(try ForgetJob(workspace).run(id).id == id)
        #expect(try kept(live).isEmpty)
    }

    @Test("Of two undos asked for at once the second takes nothing back, and says why")
    func twoUndos() throws {
        let live = try LiveStackFixture("meanwhile_undo")
        let name = try live.backup().name.string
        try live.add(runs: 21...21)
        try live.restore(name, force: true)
        for force in [false, true] {
            if force { try live.undo() }
            try after(live, { try live.undo() }) { workspace in
                let error = #expect(throws: BackupError.self) { try UndoJob(workspace, force: force).run() }
                #expect(error?.errorCode == "undo-changed")
            }
            #expect(try live.rows().contains("run21"), "the first one's data is live")
        }
    }

    @Test("Nor does an undo take back a restore that came after it was asked for")
    func undoAfterRestore() throws {
        let live = try LiveStackFixture("meanwhile_restore")
        let name = try live.backup().name.string
        for isThereOne in [false, true] {
            if isThereOne { #expect(try kept(live).count == 1) }
            try after(live, { try live.restore(name) }) { workspace in
                let error = #expect(throws: BackupError.self) { try UndoJob(workspace, force: true).run() }
                #expect(error?.errorCode == "undo-changed")
            }
        }
        #expect(try kept(live).count == 2)
        try live.undo()
    }
}
