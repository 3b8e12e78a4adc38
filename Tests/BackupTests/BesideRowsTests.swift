// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

/// What a database holds beside rows, and what a file is beside its bytes.
@Suite("Beside rows and bytes", .besideThePool, .onEachPostgres)
struct BesideRowsTests {
    private func refusal(_ body: () throws -> Void) -> [String]? {
        do { try body() } catch BackupError.newerData(_, let newer) { return newer.findings.map(\.english) } catch {
            Issue.record("\(error)")
        }
        return nil
    }

    @Test("large objects that the backup lacks stop a restore, and what is kept of them does not go")
    func largeObjects() throws {
        let live = try LiveStackFixture("large_objects")
        let session = try Connection(live.database)
        let name = try live.backup().name.string
        try session.execute("select lo_from_bytea(4242, 'BLOBDATA')")
        #expect(refusal { try live.restore(name) } == ["large object 4242 was added"])
        let second = try live.backup().name.string
        try session.execute("select lo_put(4242, 0, 'CHANGED!')")
        session.close()
        #expect(refusal { try live.restore(second) } == ["large object 4242 was changed"])
        try live.restore(name, force: true)
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
        #expect(try live.keptIDs().count == 1)
        #expect(try Connection(live.database).rows("select from pg_largeobject_metadata").isEmpty)
        try live.undo(force: true)
        let content = try Connection(live.database).rows("select convert_from(lo_get(4242), 'UTF8') as text")
        #expect(try content.first?.string("text") == "CHANGED!")
    }

    @Test("a large object that was made after a restore stops an undo")
    func undo() throws {
        let live = try LiveStackFixture("large_undo")
        let name = try live.backup().name.string
        try live.restore(name)
        try Connection(live.database).execute("select lo_from_bytea(4242, 'after')")
        #expect(refusal { try live.undo() } == ["1 large objects were written since: 4242"])
    }

    /// Two files that a restore let the live tree and the kept one share, with attributes and a mode.
    private func shared(_ name: String) throws -> (LiveStackFixture, file: FilePath)? {
        let live = try LiveStackFixture(name)
        let file = live.artifacts.appending("1/run3/artifacts/model.bin")
        guard try OpenFile(file, .readWrite(create: 0o644)).set(Self.note("before")) else { return nil }
        try live.inArtifacts("chmod 640 1/run3/artifacts/model.bin")
        sleep(3)
        try live.restore(try live.backup().name.string)
        return (live, file)
    }

    private static func note(_ text: String) -> OpenFile.Attribute {
        .init(name: Array("user.note".utf8), value: Array(text.utf8))
    }

    @Test("attributes that a shared file got since a restore stop an undo, and are as before after a forced one")
    func attributes() throws {
        guard let (live, file) = try shared("shared_attributes") else { return }
        _ = try OpenFile(file, .readWrite(create: 0o644)).set(Self.note("after"))
        #expect(
            refusal { try live.undo() } == ["attributes of 1/run3/artifacts/model.bin were changed after the restore"])
        try live.undo(force: true)
        #expect(try OpenFile(file, .read).userAttributes() == [Self.note("before")])
        try live.undo(force: true)
        #expect(try OpenFile(file, .read).userAttributes() == [Self.note("after")])
    }

    @Test("the mode and the time of a shared file, which are no content, are as before after an undo")
    func modes() throws {
        guard let (live, file) = try shared("shared_modes") else { return }
        let looks = "stat -c '%a %y' '\(file)'"
        let before = try Shell.sh(looks)
        try Shell.sh("chmod 777 '\(file)'; touch -d 2001-01-01 '\(file)'; setfattr -x user.note '\(file)'")
        try live.undo()
        #expect(try Shell.sh(looks) == before)
        #expect(try OpenFile(file, .read).userAttributes() == [Self.note("before")])
    }

    @Test("the removal of a kept part writes no file: an undo of an undo is not refused for it")
    func removedPart() throws {
        let live = try LiveStackFixture("unlinked_kept")
        let without = try live.backup().name.string
        try live.inArtifacts("echo f > 1/run3/artifacts/f; echo g > 1/run3/artifacts/g")
        sleep(3)
        let with = try live.backup().name.string
        try live.restore(with)
        let first = try #require(try live.keptIDs().first)
        let before = RestoreJob.Options.BackupFirst(options: .init(), version: "test")
        _ = try RestoreJob(live.workspace(), options: .init(force: true, backupFirst: before)).run(without)
        try live.undo()
        _ = try ForgetJob(live.workspace()).run(first)
        // What was really written is found all the same.
        try live.inArtifacts("echo G > 1/run3/artifacts/g; touch -d 2001-01-01 1/run3/artifacts/g")
        #expect(refusal { try live.undo() } == ["file 1/run3/artifacts/g was written after the restore"])
        try live.inArtifacts("echo g > 1/run3/artifacts/g")
        try live.undo()
        #expect(try live.files().contains("1/run3/artifacts/f") == false)
    }

    private func admin(_ live: LiveStackFixture, _ statements: SQL...) throws {
        try live.server.asSuperuser(in: live.database, statements)
    }

    @Test(
        "rows of an extension's table that this role may not read stop a restore, and stay with what is kept",
        .ofContrib)
    func unreadable() throws {
        let live = try LiveStackFixture("unreadable_rows")
        let name = try live.backup().name.string
        try admin(
            live, "create extension dblink", "create table vault (line text)",
            "alter extension dblink add table vault", "insert into vault values ('precious')")
        #expect(refusal { try live.restore(name) }?.count == 1)
        try forced(name, live)
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
        let part = try #require(try KeptParts(live.workspace()).all().first)
        #expect(part.missing?.findings.map(\.english).filter { $0.contains("public.vault") }.count == 1)
    }

    @Test(
        "a table of which a policy hides rows from this role is named before a restore and an undo, and force goes on")
    func policies() throws {
        let live = try LiveStackFixture("beside_policies")
        let name = try live.backup().name.string
        try admin(
            live, "create table guarded (i int primary key, own text)", "insert into guarded values (1, 'other')",
            "grant select, update on guarded to public", "alter table guarded enable row level security",
            "create policy p on guarded using (own = current_user)")
        let told = [
            "what is in table public.guarded, which the role mlflow_user may not read, or not all of it, can neither be compared "
                + "nor be in a backup"
        ]
        #expect(refusal { try live.restore(name) } == told)
        // A request that asks first is not told of a right that is missing.
        let item = try Catalogue(live.folder).item(named: name)
        #expect(refusal { try RestoreJob(live.workspace(), options: .init()).preflight(item) } == nil)
        try live.restore(name, force: true)
        try live.undo(force: true)
        let root = try Connection(live.server.superuser.naming(database: live.database.database))
        defer { root.close() }
        #expect(try root.rows("select i from guarded").count == 1)
    }

    @Test("rows that were written in the transaction of CREATE EXTENSION are not removed with what is kept", .ofContrib)
    func sameTransaction() throws {
        let live = try LiveStackFixture("extension_rows")
        let name = try live.backup().name.string
        try admin(
            live, "begin", "create extension dblink", "create table cache (id int primary key, line text)",
            "alter extension dblink add table cache", "grant select on cache to mlflow_user",
            "insert into cache values (77, 'precious')", "commit")
        #expect(refusal { try live.restore(name) } == ["table public.cache with 1 rows was added"])
        try forced(name, live)
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
        #expect(try live.keptIDs().count == 1)
    }

    /// With a backup before, which covers what is kept.
    private func forced(_ name: String, _ live: LiveStackFixture) throws {
        let before = RestoreJob.Options.BackupFirst(options: .init(), version: "test")
        _ = try RestoreJob(live.workspace(), options: .init(force: true, backupFirst: before)).run(name)
    }
}
