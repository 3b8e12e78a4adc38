// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A copy goes only when what stays was read", .besideThePool)
struct CopiesTests {
    @Test(
        "C5: the copy that would remain is damaged: that is found, a whole new one is made, and the good old one stays until then"
    )
    func damagedBase() throws {
        let live = try LiveStackFixture("copies_c5")
        try live.letStampsAge()
        let first = try live.backup(retention: .count(10)).name
        try live.add(runs: 21...21)
        try live.letStampsAge()
        let second = try live.backup(retention: .count(10)).name
        try live.damage(second)
        let third = try live.backup(retention: .count(1))
        #expect(try live.item(third.name).status == .completed)
        #expect(try live.sidecar(third.name).generation == 0, "it does not share the damaged bytes")
        #expect(try live.item(second).status == .corrupt)
        #expect(third.warnings.contains { $0.english.contains("damaged") })
        let (rows, files) = (try live.rows(), try live.files())
        try Connection(live.database).execute("delete from metrics")
        try live.restore(third.name.string, force: true)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        #expect(try !live.names().contains(first.string), "it went after the new one was made")
    }

    @Test("C6: damage found in one name is damage of every name of the file, and none of them is used again")
    func everyName() throws {
        let live = try LiveStackFixture("copies_c6")
        try live.letStampsAge()
        let names = try (0..<3).map { _ in try live.backup(retention: .count(10)).name }
        #expect(try Set(names.map(live.inode)).count == 1)
        try live.damage(names[1])
        #expect(throws: ArchiveError.self) { try VerifyJob(live.workspace()).run(names[1].string) }
        for name in names { #expect(try live.item(name).status == .corrupt, "\(name)") }
        let next = try live.backup(retention: .count(10))
        #expect(try live.inode(next.name) != live.inode(names[0]))
        #expect(next.sharing == .init(cloned: 0, copied: 0, generation: 0))
    }

    @Test("A good reading of one name is the date of each name of the file")
    func readingDate() throws {
        let live = try LiveStackFixture("copies_date")
        try live.letStampsAge()
        let names = try (0..<2).map { _ in try live.backup(retention: .count(10)).name }.map {
            try live.age($0, days: 5)
        }
        _ = try VerifyJob(live.workspace()).run(names[0].string)
        #expect(try live.sidecar(names[1]).verifiedAt > LocalTime.now().epoch - 60)
    }

    @Test("C7: unchanged nights leave two copies, both read within the week")
    func unchangedNights() throws {
        let live = try LiveStackFixture("copies_c7")
        try live.letStampsAge()
        for _ in 0..<16 {
            // The oldest first: two of the same second of their days would meet under one name.
            for item in try Catalogue(live.folder).items().reversed() {
                let read = try #require(item.sidecar).verifiedAt - 86_400
                var sidecar = try live.sidecar(try live.age(item.name, days: 1))
                sidecar.verifiedAt = read
                try sidecar.write(in: live.folder)
            }
            _ = try live.backup()
        }
        let items = try Catalogue(live.folder).items().filter { $0.status == .completed }
        #expect(items.count == 7)
        let copies = Set(try items.map { try live.inode($0.name) })
        #expect(copies.count >= 2)
        let week = LocalTime.now().epoch - 7 * 86_400
        #expect(items.allSatisfy { ($0.sidecar?.verifiedAt ?? 0) > week })
    }

    @Test(
        "on xfs, a sidecar that is lost on the oldest name of a file costs no independent copy",
        .enabled(if: geteuid() == 0, "mounting a file system needs root"))
    func lostSidecarOnXFS() throws {
        let live = try LiveStackFixture("copies_xfs")
        let image = live.root.path.appending("image")
        try Shell.sh(
            "truncate -s 400M '\(image)' && mkfs.xfs -q -m reflink=1 '\(image)' && mount -o loop '\(image)' '\(live.folder.path)'"
        )
        defer { _ = try? Shell.sh("umount '\(live.folder.path)'") }
        try live.prepareAnew()
        try OpenFile(live.artifacts.appending("1/weights"), .createNew(mode: 0o644)).write(Noise.bytes(8 << 20))
        func night(_ fullEvery: Int = 7) throws -> BackupOutcome {
            try live.letStampsAge()
            let options = BackupJob.Options(retention: .count(100), fullEvery: fullEvery)
            return try BackupJob(live.workspace(), options: options, version: "test").run()
        }
        let first = try night().name
        let whole = try night(1).name
        try live.add(runs: 51...51)
        let cloned = try night()
        #expect(cloned.sharing.cloned > 0)
        let linked = try night().name
        #expect(try live.inode(linked) == live.inode(cloned.name))
        try Directory.remove(live.folder.path.appending(cloned.name.sidecar))
        try live.add(runs: 52...52)
        let last = try night()
        #expect(last.sharing.cloned > 0)
        #expect(last.warnings.contains { $0.english.contains(cloned.name.string) })
        for name in [whole, cloned.name, linked, last.name] {
            #expect(try live.sidecar(name).chain == whole.string, "\(name)")
        }
        _ = try PruneJob(live.workspace(), rule: .count(2)).run()
        #expect(try live.names().contains(first.string), "it is the only independent one")
    }

    @Test("C8: backups dated in the future push nothing out, and are told of")
    func future() throws {
        let live = try LiveStackFixture("copies_c8")
        try live.letStampsAge()
        var ahead: [BackupName] = []
        for number in 1...7 {
            try live.add(runs: (30 + number)...(30 + number))
            ahead.append(try live.backup(retention: .count(100)).name)
        }
        for (number, name) in ahead.enumerated() { try live.age(name, days: Int64(-number - 3), readDaysAgo: 0) }
        let today = try live.backup()
        #expect(try live.names().contains(today.name.string))
        #expect(try live.names().count == 8)
        #expect(today.warnings.contains { $0.english.contains("future") })
    }

    @Test("C19: a backup of an emptied folder is kept, suspicious, told of, and pushes nothing out")
    func emptied() throws {
        let live = try LiveStackFixture("copies_c19")
        try live.letStampsAge()
        let good = try live.backup().name
        try Shell.sh("rm -rf '\(live.artifacts)/1'")
        for _ in 0..<2 {
            let outcome = try live.backup(retention: .count(1))
            #expect(try live.item(outcome.name).status.rawValue == "suspicious")
            #expect(!outcome.warnings.isEmpty)
        }
        #expect(try live.item(good).status == .completed)
        #expect(try live.names().count == 2, "suspicious ones push each other out")
    }

    @Test("C30, in part: an archive before that gives no bytes is its own damage, not that of the night")
    func unreadableBase() throws {
        let live = try LiveStackFixture("copies_cut")
        try live.letStampsAge()
        let first = try live.backup(retention: .count(10)).name
        try live.add(runs: 21...21)
        // Cut behind the catalogue's back: it keeps its size and its sparse end reads as zeros.
        let size = try live.item(first).size
        try Shell.sh(
            "truncate -s \(size / 2) '\(live.folder.path)/\(first)' && truncate -s \(size) '\(live.folder.path)/\(first)'"
        )
        let next = try live.backup(retention: .count(10))
        #expect(try live.item(first).status == .corrupt)
        #expect(next.sharing.generation == 0)
        #expect(next.warnings.contains { $0.english.contains(first.string) })
    }
}
