// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("What a restore kept and what is known of it", .besideThePool)
struct KeptRecordTests {
    private func settle(_ live: LiveStackFixture) throws {
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
    }

    @Test("the newest is the one that was made last, whatever the clock said and whatever their names")
    func order() throws {
        let live = try LiveStackFixture("record_order")
        let name = try live.backup().name.string
        let made = try (0..<3).map { _ in try #require(try live.replace(name, megabytes: 1, covered: false).kept).id }
        // In one second, then with a clock that was turned back between them.
        for times in [[7, 7, 7], [9_000_000_000, 8, 7]] as [[Int64]] {
            for (id, time) in zip(made, times) {
                var part = try #require(try KeptPart.read(id, in: live.folder))
                part.replacedAt = time
                try part.write(in: live.folder)
            }
            #expect(try live.keptIDs() == made.reversed())
        }
    }

    @Test("a record without a number, as a claim writes it, is read, and is older than one with a number")
    func older() throws {
        let live = try LiveStackFixture("record_older")
        let name = try live.backup().name.string
        let made = try (0..<2).map { _ in try #require(try live.replace(name, megabytes: 1, covered: false).kept).id }
        var part = try #require(try KeptPart.read(made[0], in: live.folder))
        (part.sequence, part.bytes) = (nil, nil)
        try part.write(in: live.folder)
        #expect(try live.keptIDs() == made.reversed())
    }

    @Test("a kept database that somebody dropped is named by the undo, and the older part can be reached")
    func droppedDatabase() throws {
        let live = try LiveStackFixture("record_dropped")
        let name = try live.backup().name.string
        try live.add(runs: 30...30)
        let first = try #require(try live.restore(name, force: true).kept)
        try live.add(runs: 31...31)
        let second = try #require(try live.restore(name, force: true).kept)
        let gone = try #require(second.database)
        try Databases(live.database).drop(gone)
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(error == .keptDatabaseGone(id: second.id, database: gone, older: first.id))
        let text = try #require(error).explanation.english
        #expect(text.contains(gone) && text.contains("mlflow-backup forget \(second.id)"), "\(text)")
        #expect(text.contains(first.id))
        try ForgetJob(live.workspace()).run(second.id)
        #expect(try live.undo(force: true).undone.id == first.id)
        #expect(try live.rows().contains("run30"))
    }

    @Test("one whose backup was damaged after the restore stays past its time, and is told")
    func damagedCover() throws {
        let live = try LiveStackFixture("record_cover")
        let name = try live.backup().name.string
        let kept = try #require(try live.restore(name).kept)
        #expect(kept.coveredBy == name)
        let path = live.folder.path.appending(name)
        let file = try OpenFile(path, .readWrite(create: 0o600))
        let middle = try file.status().size / 2
        var byte: [UInt8] = [0]
        _ = try byte.withUnsafeMutableBytes { try file.read(into: $0, at: middle) }
        try [byte[0] ^ 1].withUnsafeBytes { try file.write($0, at: middle) }
        for _ in 0..<2 {
            try settle(live)
            #expect(try live.keptIDs() == [kept.id])
            #expect(try Databases(live.database).exists(try #require(kept.database)))
            let told = try KeptParts(live.stack, live.folder).warnings()
            #expect(told.contains { $0.english.contains(kept.id) && $0.english.contains(name) }, "\(told)")
        }
    }

    @Test("nothing below a mount that appeared in a kept tree is removed, and it is told", .enabled(if: geteuid() == 0))
    func mounted() throws {
        let live = try LiveStackFixture("record_mount")
        let name = try live.backup().name.string
        let kept = try #require(try live.restore(name).kept)
        let inside = KeptParts(live.stack, live.folder).tree(of: kept).appending("1/run1/artifacts")
        let outside = live.root.path.appending("outside")
        try Directory.make(outside)
        try Shell.sh("cp -p '\(inside)/model.bin' '\(outside)' && mount --bind '\(outside)' '\(inside)'")
        do {
            defer { _ = try? Shell.sh("umount '\(inside)'") }
            try settle(live)
            #expect(throws: BackupError.mountInside(path: inside.string, count: 1)) {
                try ForgetJob(live.workspace()).run(kept.id)
            }
            #expect(try FileStatus.ifPresent(outside.appending("model.bin")) != nil)
            #expect(try live.keptIDs() == [kept.id])
            #expect(try Databases(live.database).exists(try #require(kept.database)))
            let told = try KeptParts(live.stack, live.folder).warnings()
            #expect(told.contains { $0.english.contains(kept.id) && $0.english.contains(inside.string) }, "\(told)")
            try live.backup()
        }
        try settle(live)
        #expect(try live.keptIDs() == [])
        #expect(try FileStatus.ifPresent(outside.appending("model.bin")) != nil)
    }

    @Test("a damaged record is named, backups and restores go on, nothing is removed, and it can be forgotten")
    func damagedRecord() throws {
        let live = try LiveStackFixture("record_damaged")
        let name = try live.backup().name.string
        let kept = try #require(try live.restore(name).kept)
        let path = live.folder.state.appending("kept-\(kept.id).json")
        try Shell.sh("truncate -s 40 '\(path)'")
        let damaged = BackupError.keptRecordDamaged(id: kept.id, path: path.string)
        #expect(throws: damaged) { try KeptParts(live.stack, live.folder).warnings() }
        try settle(live)
        for _ in 0..<2 {
            let outcome = try live.backup(retention: .count(1))
            #expect(outcome.removed.isEmpty)
            #expect(outcome.warnings.contains { $0.english.contains(path.string) }, "\(outcome.warnings)")
        }
        try live.restore(name, force: true)
        #expect(throws: damaged) { try live.undo() }
        #expect(try Databases(live.database).exists(try #require(kept.database)))
        #expect(try FileStatus.ifPresent(KeptParts(live.stack, live.folder).folder(of: kept.id)) != nil)
        #expect(try live.names().contains(name))
        try ForgetJob(live.workspace()).run(kept.id)
        #expect(try !Databases(live.database).exists(try #require(kept.database)))
        #expect(try live.keptIDs().count == 1)
        try live.expectNothingLeftBehind()
    }

    @Test("a record that says it is another's is damaged, and can be forgotten")
    func anothers() throws {
        let live = try LiveStackFixture("record_anothers")
        let name = try live.backup().name.string
        let kept = try #require(try live.restore(name).kept)
        let path = live.folder.state.appending("kept-\(kept.id).json")
        try Shell.sh("sed -i 's/\"id\" : \"[^\"]*\"/\"id\" : \"20260101_000000_0badf00d\"/' '\(path)'")
        #expect(throws: BackupError.keptRecordDamaged(id: kept.id, path: path.string)) { try live.keptIDs() }
        try ForgetJob(live.workspace()).run(kept.id)
        try live.expectNothingLeftBehind()
    }

    @Test("what is kept cannot be told where the backup folder is gone or empty")
    func vanishedFolder() throws {
        let live = try LiveStackFixture("record_vanished")
        try live.restore(try live.backup().name.string)
        let vanished = BackupError.folderVanished(path: live.folder.path.string)
        try Directory.removeTree(live.folder.path)
        #expect(throws: vanished) { try KeptParts(live.workspace()).listing() }
        try Directory.make(live.folder.path)
        #expect(throws: vanished) { try KeptParts(live.workspace()).listing() }
    }
}
