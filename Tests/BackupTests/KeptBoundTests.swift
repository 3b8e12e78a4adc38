// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

extension LiveStackFixture {
    /// A forced restore of the files that replaces so many megabytes, which the backup made before it holds, or none.
    @discardableResult
    func replace(_ name: String, megabytes: Int, covered: Bool, _ workspace: Workspace? = nil) throws -> RestoreOutcome
    {
        let path = artifacts.appending("big")
        if try FileStatus.ifPresent(path) != nil { try Directory.remove(path) }
        try OpenFile(path, .createNew(mode: 0o644)).write(Noise.bytes(megabytes << 20))
        let first = covered ? RestoreJob.Options.BackupFirst(options: .init(), version: "test") : nil
        return try RestoreJob(
            workspace ?? self.workspace(), options: .init(mode: .artifacts, force: true, backupFirst: first)
        ).run(name)
    }

    func bounded(_ bytes: UInt64?, keepSeconds: Int64 = 86_400) -> Workspace {
        var workspace = workspace()
        workspace.keepBytes = bytes
        workspace.keepSeconds = keepSeconds
        return workspace
    }

    func keptIDs() throws -> [String] { try KeptParts(stack, folder).all().map(\.id) }
}

@Suite("What restores keep is bounded by size", .besideThePool)
struct KeptBoundTests {
    @Test("the oldest go before their time where all together hold more, and the newest stays")
    func oldestFirst() throws {
        let live = try LiveStackFixture("bound_oldest")
        let name = try live.backup().name.string
        let workspace = live.bounded(11 << 20)
        var made: [String] = []
        for _ in 0..<3 {
            made.append(try #require(try live.replace(name, megabytes: 5, covered: true, workspace).kept).id)
        }
        #expect(try live.keptIDs() == [made[2], made[1]])
        let newest = try KeptParts(live.stack, live.folder).part(named: made[2])
        #expect(try #require(newest.bytes) >= 5 << 20)
        #expect(try #require(newest.bytes) < 6 << 20, "what it shares with the live tree is not counted")
        try live.expectNothingLeftBehind()
    }

    @Test("the newest stays although it alone holds more, is told, and can be brought back")
    func newest() throws {
        let live = try LiveStackFixture("bound_newest")
        let name = try live.backup().name.string
        let workspace = live.bounded(1 << 20)
        let outcome = try live.replace(name, megabytes: 5, covered: true, workspace)
        let kept = try #require(outcome.kept)
        #expect(outcome.warnings.contains { $0.english.contains("UNDO_KEEP_SIZE") }, "\(outcome.warnings)")
        try workspace.holdingStack("test") { _ in }
        #expect(try live.keptIDs() == [kept.id])
        #expect(try KeptParts(workspace).warnings().contains { $0.english.contains(kept.id) })
        #expect(try UndoJob(workspace, force: false).run().undone.id == kept.id)
        #expect(try FileStatus.of(live.artifacts.appending("big")).size == 5 << 20)
    }

    @Test("what no backup holds stays whatever it holds, and is told by the restore, each backup and `/health`")
    func notCovered() throws {
        let live = try LiveStackFixture("bound_uncovered")
        let name = try live.backup().name.string
        let workspace = live.bounded(6 << 20)
        let first = try #require(try live.replace(name, megabytes: 5, covered: false, workspace).kept)
        let second = try live.replace(name, megabytes: 5, covered: true, workspace)
        #expect(try live.keptIDs() == [try #require(second.kept).id, first.id])
        let backup = try BackupJob(workspace, options: .init(), version: "test").run()
        for texts in [second.warnings, backup.warnings, try KeptParts(workspace).warnings()] {
            #expect(
                texts.contains { $0.english.contains("UNDO_KEEP_SIZE") && $0.english.contains(first.id) }, "\(texts)")
            #expect(texts.contains { $0.english.contains("forget \(first.id)") }, "\(texts)")
        }
        #expect(try KeptParts(live.bounded(nil)).warnings().allSatisfy { !$0.english.contains("UNDO_KEEP_SIZE") })
    }

    @Test("one part that cannot be compared now keeps no other from going, and says why it stays")
    func unknown() throws {
        let live = try LiveStackFixture("bound_unknown")
        let name = try live.backup().name.string
        let kept = try (0..<2).map { _ in try #require(try live.restore(name, .database, force: true).kept) }
        let database = try #require(kept[0].database)
        let root = try Connection(live.server.superuser)
        defer { root.close() }
        try root.execute("alter database \(identifier: database) allow_connections false")
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
        let left = try KeptParts(live.workspace()).all()
        #expect(left.map(\.id) == [kept[0].id])
        #expect(left.first?.missing?.findings.first?.english.hasPrefix("it cannot be compared now: ") == true)
        try root.execute("alter database \(identifier: database) allow_connections true")
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
        #expect(try live.keptIDs() == [])
    }

    @Test("one part whose tree cannot be read keeps the bound of no other")
    func unreadableTree() throws {
        let live = try LiveStackFixture("bound_unreadable")
        let name = try live.backup().name.string
        let kept = try (0..<4).map { _ in
            try #require(try live.replace(name, megabytes: 5, covered: true, live.bounded(nil)).kept).id
        }
        // A link in the place of the folder is not followed.
        let parts = KeptParts(live.workspace())
        let tree = parts.tree(of: try parts.part(named: kept[0]))
        try Shell.sh("mv '\(tree)' '\(tree).away' && ln -s '\(tree).away' '\(tree)'")
        try live.bounded(6 << 20).holdingStack("test") { _ in }
        #expect(try live.keptIDs() == [kept[3], kept[0]])
    }

    @Test("the kept database counts, and what two kept trees share counts once")
    func databaseAndShared() throws {
        let live = try LiveStackFixture("bound_database")
        let name = try live.backup().name.string
        let kept = try #require(try live.restore(name, .database, force: true).kept)
        let database = try #require(kept.database)
        let size = UInt64(try Databases(live.database).size(of: database))
        try live.replace(name, megabytes: 3, covered: false)
        try live.replace(name, megabytes: 3, covered: false)
        let parts = try KeptParts(live.stack, live.folder).all()
        // Both have it now, and the live tree has not.
        let (one, two) = (
            KeptParts(live.stack, live.folder).tree(of: parts[0]), KeptParts(live.stack, live.folder).tree(of: parts[1])
        )
        try Directory.link(one.appending("big"), as: two.appending("shared"))
        let sizes = try KeptSizes(KeptParts(live.workspace()), Databases(live.database), parts)
        #expect(sizes[parts[2]].database == size)
        #expect(sizes[parts[2]].files == 0)
        #expect(sizes[parts[0]].files >= 3 << 20 && sizes[parts[0]].files < 4 << 20)
        #expect(sizes[parts[1]].files >= 3 << 20 && sizes[parts[1]].files < 4 << 20)
    }
}

@Suite(
    "Where there is no room to keep what a restore replaces",
    .enabled(if: geteuid() == 0, "mounting a small file system needs root"), .besideThePool)
struct KeptRoomTests {
    private func onSmallDisk(_ name: String, _ body: (LiveStackFixture, String) throws -> Void) throws {
        let live = try LiveStackFixture(name)
        try Shell.sh("mount -t tmpfs -o size=26m none '\(live.artifacts)'")
        defer { _ = try? Shell.sh("umount '\(live.artifacts)'") }
        // Ten megabytes in a backup; live they are, with each restore that replaces ten others, twice on the disk.
        try OpenFile(live.artifacts.appending("big"), .createNew(mode: 0o644)).write(Noise.bytes(10 << 20))
        try body(live, try live.backup().name.string)
    }

    @Test("what a backup holds goes before its time, and the restore is made")
    func makesRoom() throws {
        try onSmallDisk("room_made") { live, name in
            let files = try live.files()
            let first = try #require(try live.replace(name, megabytes: 10, covered: true).kept)
            let second = try #require(try live.replace(name, megabytes: 10, covered: true).kept)
            #expect(try live.keptIDs() == [second.id])
            #expect(first.id != second.id)
            #expect(try live.files() == files)
            try live.expectNothingLeftBehind()
        }
    }

    @Test("where no backup holds it, the restore is refused with what is needed, what there is and what could go")
    func refuses() throws {
        try onSmallDisk("room_refused") { live, name in
            let kept = try #require(try live.replace(name, megabytes: 10, covered: false).kept)
            let names = try live.names()
            let error = #expect(throws: BackupError.self) { try live.replace(name, megabytes: 10, covered: true) }
            guard case .notEnoughRoom(let path, let needed, let available, let could)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(path == live.artifacts.string)
            #expect(needed >= 10 << 20 && needed < 11 << 20)
            #expect(available == (try DiskSpace.at(live.artifacts).available))
            #expect(could == [kept.id])
            #expect(try #require(error).explanation.english.contains("mlflow-backup forget \(kept.id)"))
            #expect(try live.names() == names, "refused before a backup is made of what is not replaced")
            #expect(try live.keptIDs() == [kept.id])
            try live.expectNothingLeftBehind()
        }
    }

    @Test("nothing goes early where all of it would not be enough")
    func notInVain() throws {
        try onSmallDisk("room_vain") { live, name in
            let kept = try #require(try live.replace(name, megabytes: 2, covered: true).kept)
            try OpenFile(live.artifacts.appending("filler"), .createNew(mode: 0o644)).write(Noise.bytes(10 << 20))
            try Shell.sh("printf x >> '\(live.artifacts)/big'")
            #expect(throws: BackupError.self) {
                try RestoreJob(live.workspace(), options: .init(mode: .artifacts, force: true)).run(name)
            }
            #expect(try live.keptIDs() == [kept.id])
        }
    }
}

@Suite("Where the database server has no room to keep what a restore replaces", .besideThePool)
struct KeptServerRoomTests {
    /// A pg_restore that the server tells that its disk is full, as long as restores have kept more than so many parts.
    private func crowded(_ live: LiveStackFixture, atMost count: Int) throws -> Workspace {
        let tools = live.root.path.appending("tools")
        try Directory.make(tools)
        let folder = live.artifacts.appending(".mlflow-backup-restore")
        let script = """
            #!/bin/sh
            case "$1" in --version) exec '\(live.server.binDirectory)/pg_restore' "$@";; esac
            if [ "$(ls '\(folder)' | grep -c ^kept-)" -gt \(count) ]; then
              echo 'pg_restore: error: could not execute query: ERROR:  could not extend file "base/1/2": No space left on device' >&2
              exit 1
            fi
            exec '\(live.server.binDirectory)/pg_restore' "$@"
            """
        try TemporaryFolder.write(program: tools.appending("pg_restore"), script)
        try Shell.sh("ln -s '\(live.server.binDirectory)/pg_dump' '\(tools)/pg_dump'")
        let stack = LiveStack(
            database: live.database, tools: PostgresTools(binDirectory: tools), artifacts: live.artifacts,
            mlflowVersion: { "3.17.2" })
        return Workspace(stack, live.folder, log: .silent)
    }

    @Test("kept databases that a backup holds go, oldest first and no more than needed, and the restore is made")
    func makesRoom() throws {
        let live = try LiveStackFixture("server_room")
        let name = try live.backup().name.string
        let rows = try live.rows()
        let kept = try (0..<2).map { _ in try #require(try live.restore(name).kept).id }
        let workspace = try crowded(live, atMost: 1)
        let made = try RestoreJob(workspace, options: .init()).run(name)
        #expect(try live.keptIDs() == [try #require(made.kept).id, kept[1]])
        #expect(try live.rows() == rows)
        try live.expectNothingLeftBehind()
    }

    @Test("where no backup holds them, the restore is refused, and says what could go")
    func refuses() throws {
        let live = try LiveStackFixture("server_full")
        let name = try live.backup().name.string
        try live.add(runs: 30...30)
        let kept = try #require(try live.restore(name, force: true).kept)
        let rows = try live.rows()
        let error = #expect(throws: BackupError.self) {
            try RestoreJob(try crowded(live, atMost: 0), options: .init()).run(name)
        }
        guard case .noRoomForDatabase(_, [kept.id])? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try #require(error).explanation.english.contains("mlflow-backup forget \(kept.id)"))
        #expect(try live.keptIDs() == [kept.id])
        #expect(try live.rows() == rows)
        try live.expectNothingLeftBehind()
    }
}
