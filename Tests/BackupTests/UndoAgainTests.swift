// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("An undo is taken back, and that again", .besideThePool)
struct UndoAgainTests {
    /// A backup, and something live that it lacks.
    private func ahead(_ name: String) throws -> (LiveStackFixture, backup: String) {
        let live = try LiveStackFixture(name)
        sleep(3)
        let made = try live.backup().name.string
        try Connection(live.database).execute("insert into registered_models values ('pre', 1)")
        try Shell.sh("echo pre > '\(live.artifacts)/1/run4/artifacts/model.bin'")
        return (live, made)
    }

    private func expire(_ live: LiveStackFixture) throws {
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
    }

    @Test(
        "what no backup holds stays kept, however often it went to and fro",
        arguments: TestForm.oneIn(2, of: [RestoreMode.full, .database, .artifacts], with: [2, 4]))
    func uncovered(mode: RestoreMode, undos: Int) throws {
        let (live, name) = try ahead("again_\(mode.rawValue)_\(undos)")
        let before = [try live.rows(), try live.files()]
        try live.restore(name, mode, force: true)
        for _ in 0..<undos { try live.undo() }
        let part = try #require(try KeptParts(live.stack, live.folder).all().first)
        #expect(part.coveredBy == nil)
        try expire(live)
        #expect(try live.keptIDs() == [part.id])
        try live.undo()
        #expect([try live.rows(), try live.files()] == before)
        try live.expectNothingLeftBehind()
    }

    @Test("what the backup before a forced restore holds goes by that one, which is pinned all the while")
    func coveredByTheBackupBefore() throws {
        let (live, name) = try ahead("again_covered")
        let first = RestoreJob.Options.BackupFirst(options: .init(), version: "test")
        let before = try #require(
            try RestoreJob(live.workspace(), options: .init(force: true, backupFirst: first)).run(name).backupBefore)
        let kept = KeptParts(live.stack, live.folder)
        for number in 1...4 {
            try live.undo()
            #expect(try kept.all().first?.coveredBy == (number % 2 == 0 ? before.string : name))
            #expect(try kept.pinnedBackups() == [name, before.string])
        }
        try expire(live)
        #expect(try live.keptIDs().isEmpty)
        try live.restore(before.string, force: true)
        #expect(try live.rows().contains("pre"))
    }

    @Test("what an unforced restore replaced is in the backup that was restored, after an undo of the undo, too")
    func coveredByTheRestored() throws {
        let live = try LiveStackFixture("again_unforced")
        let name = try live.backup().name.string
        try live.restore(name)
        for _ in 0..<3 {
            try live.undo()
            #expect(try KeptParts(live.stack, live.folder).all().first?.coveredBy == name)
        }
        try expire(live)
        #expect(try live.keptIDs().isEmpty)
    }

    @Test("a row written after an undo is in no backup, and stays")
    func writtenBetween() throws {
        let (live, name) = try ahead("again_written")
        try live.restore(name, force: true)
        try live.undo()
        try Connection(live.database).execute("insert into registered_models values ('between', 1)")
        #expect(throws: BackupError.self) { try live.undo() }
        try live.undo(force: true)
        try live.undo()
        #expect(try live.rows().contains("between"))
        try live.undo()
        try expire(live)
        #expect(try live.keptIDs().count == 1)
    }
}

@Suite("Files that two trees share, through undos", .besideThePool)
struct SharedThroughUndoTests {
    private static let write = "printf 'edit' | dd conv=notrunc status=none of="

    private func stack(_ name: String, _ script: String = "true") throws -> (LiveStackFixture, backup: String) {
        let live = try LiveStackFixture(name)
        try live.inArtifacts(script)
        sleep(3)
        return (live, try live.backup().name.string)
    }

    @Test("what was written in place is live again after each second undo, and never overwritten")
    func editSurvives() throws {
        let (live, name) = try stack("shared_edit", "echo the top file > top")
        let before = try live.files()
        #expect(try live.restore(name).unchanged == 21)
        try live.inArtifacts("\(Self.write)1/run3/artifacts/model.bin; \(Self.write)top")
        let edited = try live.files()
        try live.undo(force: true)
        #expect(try live.files() == before)
        for _ in 0..<2 {
            try live.undo()
            #expect(try live.files() == edited)
            // As chown does it: the stamps change, the bytes do not.
            try live.inArtifacts("chmod 600 1/run3/artifacts/model.bin")
            try live.undo(force: true)
            #expect(try live.files() == before)
        }
        try live.expectNothingLeftBehind()
    }

    @Test("a file that one tree has under two names is put right under both")
    func twoNames() throws {
        let (live, name) = try stack("shared_names", "echo the first > 1/a; ln 1/a 1/b")
        let restored = try live.files()
        try live.inArtifacts("rm 1/b")
        try live.restore(name)
        try live.undo()
        try live.inArtifacts("\(Self.write)1/a")
        try live.undo(force: true)
        #expect(try live.files() == restored)
        #expect(try live.inArtifacts("stat -c %h 1/a") == "2\n")
        try live.undo()
        #expect(try live.inArtifacts("cat 1/a") == "editfirst\n")
        try live.undo()
        #expect(try live.files() == restored)
    }

    @Test("a file that is put right gets its time, mode and attributes, too")
    func looks() throws {
        let (live, name) = try stack("shared_looks", "chmod 640 1/run3/artifacts/model.bin")
        let path = live.artifacts.appending("1/run3/artifacts/model.bin")
        let attribute = OpenFile.Attribute(name: Array("user.note".utf8), value: [1, 2])
        try needs(OpenFile(path, .readWrite(create: 0o644)).set(attribute), "/tmp keeps no extended attributes")
        sleep(3)
        let second = try live.backup().name.string
        #expect(second != name)
        let looks = try live.inArtifacts("stat -c '%a %U %y %s' 1/run3/artifacts/model.bin")
        try live.restore(second)
        try live.inArtifacts("\(Self.write)1/run3/artifacts/model.bin")
        try live.undo(force: true)
        #expect(try live.inArtifacts("stat -c '%a %U %y %s' 1/run3/artifacts/model.bin") == looks)
        #expect(try OpenFile(path, .read).userAttributes() == [attribute])
    }

    @Test("what was written in place and then deleted is kept aside when the kept name is put right")
    func orphan() throws {
        let (live, name) = try stack("shared_orphan")
        let before = try live.files()
        try live.restore(name)
        try live.inArtifacts("\(Self.write)1/run3/artifacts/model.bin; rm 1/run3/artifacts/model.bin")
        let outcome = try live.undo()
        #expect(try live.files() == before)
        let parts = try KeptParts(live.stack, live.folder).all()
        #expect(parts.count == 2)
        #expect(parts.first?.id == outcome.kept?.id, "the undo can be undone")
        let aside = try #require(parts.last)
        #expect(outcome.warnings.contains { $0.english.contains(aside.id) }, "\(outcome.warnings)")
        let path = KeptParts(live.stack, live.folder).tree(of: aside).appending("1/run3/artifacts/model.bin")
        #expect((try? Shell.sh("head -c 4 '\(path)'")) == "edit")
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
        #expect(try live.keptIDs() == [aside.id])
        try live.expectNothingLeftBehind()
    }
}

@Suite("What came into the artifacts since, and only that, is named by an undo", .besideThePool)
struct SinceSwapTests {
    /// A stack whose live files differ from its backup's, after a restore and so many undos.
    private func stack(_ name: String, undos: Int) throws -> LiveStackFixture {
        let live = try LiveStackFixture(name)
        try live.inArtifacts("echo shared > top; echo one > own; ln -s own link")
        sleep(3)
        let made = try live.backup().name.string
        try live.inArtifacts(
            "echo two > own; mkdir 1/many; for i in 1 2 3; do echo $i > 1/many/$i; done; ln -s /etc/passwd 1/out; "
                + "ln -s /etc/hosts out; mkdir ../aside; echo one > ../aside/own; echo sharex > ../aside/top; "
                + "echo moved > ../aside/moved; touch -d 2001-01-01 ../aside/* ../aside")
        try live.restore(made, force: true)
        for _ in 0..<undos { try live.undo() }
        sleep(1)
        return live
    }

    private func named(_ live: LiveStackFixture) throws -> [String] {
        let error = #expect(throws: BackupError.self) { try live.undo() }
        guard case .newerData(_, let newer)? = error else {
            Issue.record("\(String(describing: error))")
            return []
        }
        #expect(newer.total == newer.findings.count)
        return newer.findings.map(\.english)
    }

    @Test(
        "a file directly in the folder, whatever its time says",
        arguments: TestForm.oneIn(
            3, of: [0, 1, 2],
            with: [
                "rm top; cp -p ../aside/top top", "rm own; printf 'xxx\\n' > own; touch -d 2001-01-01 own",
                "printf x | dd of=own conv=notrunc status=none; touch -d 2001-01-01 own",
                "printf x | dd of=top conv=notrunc status=none; touch -d 2001-01-01 top",
                "cp -p ../aside/moved new", "ln ../aside/moved new", "rm link; ln -s top link",
            ]))
    func top(undos: Int, script: String) throws {
        let live = try stack("since_top_\(undos)", undos: undos)
        try live.inArtifacts(script)
        let names = try named(live)
        #expect(names.count == 1, "\(script): \(names)")
        try live.undo(force: true)
    }

    @Test(
        "a deletion beside them names no other file, and one more file in a folder is the only one named",
        arguments: TestForm.oneIn(2, of: [0, 1]))
    func beside(undos: Int) throws {
        let live = try stack("since_beside_\(undos)", undos: undos)
        let folder = undos == 0 ? "1/run4/artifacts" : "1/many"
        try live.inArtifacts("rm \(folder)/[m2]*")
        try live.undo()
        try live.undo()
        try live.inArtifacts("echo more > \(folder)/more")
        #expect(try named(live).count == 1)
    }

    @Test(
        "a folder that was moved in, with what is in it, after an undo, too", arguments: TestForm.oneIn(2, of: [1, 0]))
    func moved(undos: Int) throws {
        let live = try stack("since_moved_\(undos)", undos: undos)
        try live.inArtifacts("mv ../aside 1/run3/artifacts/")
        #expect(try named(live).count == 3)
    }

    @Test("a link out of the tree, and none that was there before", arguments: TestForm.oneIn(2, of: [0, 1, 2]))
    func links(undos: Int) throws {
        let live = try stack("since_links_\(undos)", undos: undos)
        try live.inArtifacts("ln -s /etc/group 1/run3/group; ln -s /etc/group group; rm -f out; ln -s /etc/group out")
        #expect(try named(live).count == 3)
    }

    @Test("changed attributes are named before an unforced restore loses them")
    func attributesBeforeRestore() throws {
        let live = try LiveStackFixture("since_noted")
        let name = try live.backup().name.string
        let attribute = OpenFile.Attribute(name: Array("user.note".utf8), value: [1, 2])
        let path = live.artifacts.appending("1/run3/artifacts/model.bin")
        try needs(OpenFile(path, .readWrite(create: 0o644)).set(attribute), "/tmp keeps no extended attributes")
        let error = #expect(throws: BackupError.self) { try live.restore(name) }
        guard case .newerData(_, let newer)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(newer.findings.map(\.english) == ["attributes of artifacts/1/run3/artifacts/model.bin were changed"])
        try live.restore(try live.backup().name.string)
        #expect(try OpenFile(path, .read).userAttributes() == [attribute])
    }

    @Test("changed attributes of a file that was not shared")
    func attributes() throws {
        let live = try stack("since_attributes", undos: 0)
        let attribute = OpenFile.Attribute(name: Array("user.note".utf8), value: [1, 2])
        try needs(
            OpenFile(live.artifacts.appending("own"), .readWrite(create: 0o644)).set(attribute),
            "/tmp keeps no extended attributes")
        #expect(try named(live).count == 1)
    }
}

extension LiveStackFixture {
    /// - Returns: what the script prints.
    @discardableResult
    func inArtifacts(_ script: String) throws -> String { try Shell.sh("cd '\(artifacts)' && { \(script); }") }
}
