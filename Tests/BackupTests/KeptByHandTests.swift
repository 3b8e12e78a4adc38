// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("What somebody did by hand to a kept part", .besideThePool)
struct KeptByHandTests {
    /// A stack with one kept part that holds a run which no backup has.
    private func kept(_ name: String) throws -> (live: LiveStackFixture, part: KeptPart, rows: String, files: String) {
        let live = try LiveStackFixture(name)
        let backup = try live.backup().name.string
        try live.add(runs: 40...40)
        let (rows, files) = (try live.rows(), try live.files())
        let part = try #require(try live.restore(backup, force: true).kept)
        return (live, part, rows, files)
    }

    private func settle(_ live: LiveStackFixture) throws {
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
    }

    private func rename(_ live: LiveStackFixture, _ old: String, to new: String) throws {
        let server = live.database.naming(database: live.database.maintenanceDatabase)
        try Connection(server).execute("alter database \(identifier: old) rename to \(identifier: new)")
    }

    private func edit(_ live: LiveStackFixture, _ id: String, _ change: (inout KeptPart) -> Void) throws {
        var part = try #require(try KeptPart.read(id, in: live.folder))
        change(&part)
        try part.write(in: live.folder)
    }

    @Test("a kept database that was renamed is found by its oid: not proven, named, and whole when renamed back")
    func renamed() throws {
        let (live, part, rows, files) = try kept("hand_renamed")
        let hand = "\(live.database.database)_hand"
        try rename(live, try #require(part.database), to: hand)
        try settle(live)
        #expect(try live.keptIDs() == [part.id])
        let told = try KeptParts(live.workspace()).warnings()
        #expect(told.contains { $0.english.contains(hand) && $0.chinese.contains(hand) }, "\(told)")
        let own = try #require(part.database)
        #expect(throws: BackupError.keptDatabaseGone(id: part.id, database: own, older: nil)) { try live.undo() }
        try rename(live, hand, to: own)
        try settle(live)
        #expect(try KeptParts(live.workspace()).warnings().allSatisfy { !$0.english.contains(hand) })
        #expect(try live.keptIDs() == [part.id])
        #expect(try live.undo().undone.id == part.id)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
    }

    @Test("one that somebody renamed is that person's: it never goes by itself, nor when its part is forgotten")
    func renamedAndCovered() throws {
        let live = try LiveStackFixture("hand_taken")
        let part = try #require(try live.restore(try live.backup().name.string).kept)
        let hand = "hand_taken_mine"
        try rename(live, try #require(part.database), to: hand)
        try settle(live)
        #expect(try live.keptIDs() == [part.id])
        try ForgetJob(live.workspace()).run(part.id)
        #expect(try live.keptIDs() == [])
        #expect(try Databases(live.database).exists(hand))
        try Databases(live.database).drop(hand)
    }

    @Test("a name that was edited in the record changes nothing: the oid says which database it is")
    func editedName() throws {
        let (live, part, rows, _) = try kept("hand_edited")
        try edit(live, part.id) { $0.database = "something_else" }
        try settle(live)
        #expect(try live.keptIDs() == [part.id])
        #expect(try live.undo().undone.id == part.id)
        #expect(try live.rows() == rows)
    }

    @Test("a part whose database is gone stays, is told, and goes when a person says so")
    func dropped() throws {
        let live = try LiveStackFixture("hand_dropped")
        let part = try #require(try live.restore(try live.backup().name.string).kept)
        let name = try #require(part.database)
        try Databases(live.database).drop(name)
        try settle(live)
        #expect(try live.keptIDs() == [part.id])
        let told = try KeptParts(live.workspace()).warnings()
        #expect(told.contains { $0.english.contains(name) && $0.english.contains("gone") }, "\(told)")
        try ForgetJob(live.workspace()).run(part.id)
        try live.expectNothingLeftBehind()
    }

    @Test("a removal that was cut short and is finished before a person's own is what that person asked for")
    func finishedBefore() throws {
        let live = try LiveStackFixture("hand_finished")
        let part = try #require(try live.restore(try live.backup().name.string).kept)
        try edit(live, part.id) { $0.isBeingRemoved = true }
        #expect(try ForgetJob(live.workspace()).run(part.id).id == part.id)
        try live.expectNothingLeftBehind()
        #expect(throws: BackupError.self) { try ForgetJob(live.workspace()).run(part.id) }
    }

    @Test("a removal that was cut short after the database went is finished")
    func cutShort() throws {
        let live = try LiveStackFixture("hand_cut")
        let part = try #require(try live.restore(try live.backup().name.string).kept)
        try edit(live, part.id) { $0.isBeingRemoved = true }
        try Databases(live.database).drop(try #require(part.database))
        try settle(live)
        #expect(try live.keptIDs() == [])
        try live.expectNothingLeftBehind()
    }

    @Test("a part whose folder was moved away stays, is named with its database, and is whole when the folder is back")
    func movedAway() throws {
        let (live, part, rows, files) = try kept("hand_moved")
        let folder = KeptParts(live.workspace()).folder(of: part.id)
        let aside = live.root.path.appending("aside")
        try Directory.rename(folder, to: aside)
        try settle(live)
        #expect(try live.keptIDs() == [part.id])
        let told = try live.backup().warnings.filter { $0.english.contains(part.id) }
        for text in told.flatMap({ [$0.english, $0.chinese] }) where text.contains(folder.string) {
            #expect(text.contains(try #require(part.database)))
        }
        #expect(told.contains { $0.english.contains(folder.string) }, "\(told)")
        try Directory.make(folder.parent, mode: 0o700)
        try Directory.rename(aside, to: folder)
        #expect(try KeptParts(live.workspace()).warnings().allSatisfy { !$0.english.contains(folder.string) })
        #expect(try live.undo().undone.id == part.id)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
    }

    @Test("a part whose folder was removed comes back as far as it is there: the database alone")
    func removedFolder() throws {
        let (live, part, rows, _) = try kept("hand_removed")
        let now = try live.files()
        try Directory.removeTree(KeptParts(live.workspace()).folder)
        try live.backup()
        #expect(try live.keptIDs() == [part.id])
        let undone = try live.undo()
        #expect(undone.undone.id == part.id)
        #expect(undone.warnings.contains { $0.english.contains("The database alone was brought back") }, "\(undone)")
        #expect(try live.rows() == rows)
        #expect(try live.files() == now)
        #expect(try live.keptIDs().count == 1)
        try live.expectNothingLeftBehind()
    }

    @Test("a part of which somebody removed some folders, or all, is told of, and an undo empties no artifacts unasked")
    func removedChildren() throws {
        for all in [false, true] {
            let live = try LiveStackFixture("hand_children_\(all)")
            let backup = try live.backup().name.string
            try live.add(runs: 40...40)
            try Shell.sh("mkdir '\(live.artifacts)/9' && echo nine > '\(live.artifacts)/9/file'")
            let (rows, files) = (try live.rows(), try live.files())
            let part = try #require(try live.restore(backup, force: true).kept)
            let now = try live.files()
            let tree = KeptParts(live.workspace()).tree(of: part)
            let names = try Directory.names(in: tree)
            try #require(names.count > 1)
            for name in all ? names : [names[0]] { try Directory.removeTree(tree.appending(name)) }
            let told = try KeptParts(live.workspace()).warnings()
            #expect(told.contains { $0.english.contains(part.id) && $0.chinese.contains(tree.string) }, "\(told)")
            let error = #expect(throws: BackupError.self) { try live.undo() }
            #expect(error?.errorCode == "kept-files-partly-gone")
            #expect(try live.files() == now)
            let forced = try live.undo(force: true)
            #expect(forced.warnings.contains { $0.english.contains("could not be brought back") }, "\(forced.warnings)")
            #expect(try live.rows() == rows && live.files() != files)
        }
    }

    @Test("what somebody took out of a part deeper down is missed, too, before an undo brings the rest")
    func removedDeeper() throws {
        let live = try LiveStackFixture("hand_deeper")
        let backup = try live.backup().name.string
        try live.add(runs: 40...40)
        let (rows, files) = (try live.rows(), try live.files())
        let part = try #require(try live.restore(backup, force: true).kept)
        let now = try live.files()
        let tree = KeptParts(live.workspace()).tree(of: part)
        try Shell.sh("mv '\(tree)/1/run40' '\(live.root.path)/taken'")
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(error?.errorCode == "kept-files-partly-gone", "\(String(describing: error))")
        #expect(try live.files() == now)
        try Shell.sh("mv '\(live.root.path)/taken' '\(tree)/1/run40'")
        try live.undo()
        #expect(try live.rows() == rows && live.files() == files)
    }

    @Test("of a part of which nothing is there any more only the record is left: named, not undone, and forgotten")
    func nothingLeft() throws {
        let live = try LiveStackFixture("hand_nothing")
        let name = try live.backup().name.string
        let part = try #require(try live.replace(name, megabytes: 1, covered: false).kept)
        try Directory.removeTree(KeptParts(live.workspace()).folder)
        let now = try live.files()
        try settle(live)
        #expect(try live.keptIDs() == [part.id])
        let error = #expect(throws: BackupError.self) { try live.undo(force: true) }
        #expect(error?.explanation.english.contains("mlflow-backup forget \(part.id)") == true)
        #expect(try live.files() == now)
        try ForgetJob(live.workspace()).run(part.id)
        #expect(try live.keptIDs() == [])
    }

    @Test("a record of a restore that never came to its swap goes: its database is the live one")
    func neverSwapped() throws {
        let live = try LiveStackFixture("hand_never")
        try live.backup()
        let oid = try #require(try Databases(live.database).oid(of: live.database.database))
        let id = RestoreJournal.newID()
        try live.bounded(nil).holdingStack("test") { hold in
            try KeptPart(
                id: id, backup: "b", mode: .full, replacedAt: LocalTime.now().epoch, stack: hold.identity,
                databaseOID: oid, database: RestoreJournal.databaseName(live.database.database, "before", id),
                coveredBy: nil, coveredUntil: nil, replaced: NewerData(), mark: nil, broughtIn: nil, carried: [],
                aside: []
            ).write(in: live.folder)
        }
        try settle(live)
        #expect(try live.keptIDs() == [])
        #expect(try KeptPart.ids(in: live.folder).isEmpty)
    }

    @Test("a database that a DROP cut short left invalid holds nothing any more, and goes with its part")
    func invalid() throws {
        let live = try LiveStackFixture("hand_invalid")
        let part = try #require(try live.restore(try live.backup().name.string).kept)
        try Connection(live.server.superuser.naming(database: "postgres")).execute(
            "update pg_database set datconnlimit = -2 where oid = \(number: Int(try #require(part.databaseOID)))")
        #expect(throws: BackupError.self) { try live.undo() }
        try settle(live)
        #expect(try live.keptIDs() == [])
        try live.expectNothingLeftBehind()
    }

    @Test("a part whose removal was cut short among its files is not brought back, and goes when a person says so")
    func halfGone() throws {
        let live = try LiveStackFixture("hand_half")
        let name = try live.backup().name.string
        try Shell.sh("for n in 2 3 4; do mkdir '\(live.artifacts)/'$n; echo kept > '\(live.artifacts)/'$n/f; done")
        let part = try #require(try live.restore(name, .artifacts, force: true).kept)
        let stuck = KeptParts(live.workspace()).tree(of: part).appending("4")
        // Where a file system has no such flag, a mount is in the way.
        let isImmutable = (try? Shell.sh("chattr +i '\(stuck)'")) != nil
        try #require(isImmutable, "chattr does not work here: run the tests as root on ext4 or xfs")
        #expect(throws: BackupError.self) { try ForgetJob(live.workspace()).run(part.id) }
        try Shell.sh("chattr -i '\(stuck)'")
        for force in [false, true] {
            let error = #expect(throws: BackupError.self) { try live.undo(force: force) }
            #expect(error?.errorCode == "kept-being-removed")
            #expect(error?.explanation.english.contains("forget \(part.id)") == true)
        }
        try ForgetJob(live.workspace()).run(part.id)
        try live.expectNothingLeftBehind()
    }

    @Test("a removal that did not begin, because of a session that may not be ended, changes nothing")
    func notBegun() throws {
        let (live, part, rows, files) = try kept("hand_not_begun")
        let admin = try Connection(live.server.superuser.naming(database: try #require(part.database)))
        let error = #expect(throws: PostgresError.self) { try ForgetJob(live.workspace()).run(part.id) }
        #expect(error?.errorCode == "database-in-use", "\(String(describing: error))")
        // An undo is refused before anybody is sent away for it.
        let client = try Connection(live.database)
        let refused = #expect(throws: PostgresError.self) { try live.undo() }
        #expect(refused?.errorCode == "database-in-use", "\(String(describing: refused))")
        #expect(try client.rows("select 1").count == 1)
        client.close()
        admin.close()
        #expect(try live.undo().undone.id == part.id)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
    }
}
