// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Old copies are read again after each backup", .besideThePool)
struct ScrubTests {
    private func sixRuns(_ live: LiveStackFixture) throws -> [BackupName] {
        try (0..<3).map { number in
            try live.add(runs: (40 + number)...(40 + number))
            return try live.backup(retention: .count(100)).name
        }
    }

    @Test("those nobody has read for six days; damage is told and recorded, and fails nothing")
    func old() throws {
        let live = try LiveStackFixture("scrub_old")
        let names = try sixRuns(live).enumerated().map { number, name in
            try live.age(name, days: 8, readDaysAgo: Int64(7 - number))
        }
        try live.damage(names[0])
        let outcome = try live.backup(retention: .count(100))
        #expect(try live.item(names[0]).status == .corrupt)
        #expect(outcome.warnings.contains { $0.english.contains(names[0].string) })
        let now = LocalTime.now().epoch
        #expect(try live.sidecar(names[2]).verifiedAt < now - 86_400, "five days are no age")
        #expect(try live.item(outcome.name).status == .completed)
    }

    @Test("not at all where it is off, and the oldest first where the time is short")
    func off() throws {
        let live = try LiveStackFixture("scrub_off")
        let names = try sixRuns(live).map { try live.age($0, days: 9) }
        let options = BackupJob.Options(retention: .count(100), scrubSeconds: 0)
        _ = try BackupJob(live.workspace(), options: options, version: "test").run()
        let now = LocalTime.now().epoch
        for name in names { #expect(try live.sidecar(name).verifiedAt < now - 86_400) }
    }

    /// Gives a backup so long a name that no sidecar can be written beside it, and that one is there.
    private func unwritable(_ live: LiveStackFixture, _ name: BackupName) throws -> BackupName {
        let longer = try #require(
            BackupName(name.string.replacing(".tar.gz", with: String(repeating: "x", count: 210) + ".tar.gz")))
        var text = String(
            decoding: try OpenFile(live.folder.path.appending(name.sidecar), .read).readAll(), as: UTF8.self)
        text.replace("\"name\" : \"\(name)\"", with: "\"name\" : \"\(longer)\"")
        text.replace(#/"seal" : "[0-9a-f]*"/#, with: "\"seal\" : \"\(RecordSeal.blank)\"")
        let file = try OpenFile(live.folder.path.appending(longer.sidecar), .createNew(mode: 0o640))
        try RecordSeal.sealed(Array(text.utf8)).withUnsafeBytes { try file.write($0) }
        try Directory.rename(live.folder.path.appending(name.string), to: live.folder.path.appending(longer.string))
        try Directory.remove(live.folder.path.appending(name.sidecar))
        return longer
    }

    @Test("one whose reading cannot be written down is told of, and hinders none of the others")
    func notRecorded() throws {
        let live = try LiveStackFixture("scrub_unwritable")
        var names = try sixRuns(live).enumerated().map { number, name in
            try live.age(name, days: 8, readDaysAgo: Int64(10 - number))
        }
        names[0] = try unwritable(live, names[0])
        #expect(throws: Verification.NotRecorded.self) { try VerifyJob(live.workspace()).run(names[0].string) }
        try live.damage(names[2])
        let outcome = try live.backup(retention: .count(100))
        #expect(outcome.warnings.contains { $0.english.contains(names[0].string) })
        #expect(try live.sidecar(names[1]).verifiedAt > LocalTime.now().epoch - 3600)
        #expect(try live.item(names[2]).status == .corrupt)
        // Damage, too, that cannot be written down.
        try live.damage(names[0])
        #expect(throws: Verification.DamageNotRecorded.self) { try VerifyJob(live.workspace()).run(names[0].string) }
        #expect(try live.backup(retention: .count(100)).warnings.contains { $0.english.contains("damaged") })
    }

    @Test("what takes longer than the time for it is read to its end, and each one that is due has its night")
    func longOnes() throws {
        let live = try LiveStackFixture("scrub_long")
        let names = try sixRuns(live).enumerated().map { number, name in
            try live.age(name, days: 9, readDaysAgo: Int64(9 - number))
        }
        func night(_ seconds: Double, limit: Double) throws -> (warnings: [BilingualText], read: [BackupName]) {
            let identity = try StackIdentity(of: live.stack, on: Databases(live.database))
            let job = BackupJob(live.workspace(), options: .init(), version: "test")
            let copies = try Copies(job, identity, try Catalogue(live.folder).items())
            let week = LocalTime.now().epoch - 6 * 86_400
            func due() throws -> [BackupName] { try names.filter { try live.sidecar($0).verifiedAt < week } }
            let before = try due()
            let warnings = Scrub(live.workspace(), copies, atMost: seconds, limit: limit).run()
            let after = try due()
            return (warnings, before.filter { !after.contains($0) })
        }
        // The first one takes longer than there is; it is told, and does not keep the others from being read.
        let cut = try night(1e-9, limit: 0)
        #expect(cut.read.isEmpty)
        #expect(cut.warnings.map(\.english).contains { $0.contains(names[0].string) }, "\(cut.warnings)")
        #expect(cut.warnings.map(\.chinese).contains { $0.contains(names[0].string) })
        for name in [names[1], names[2], names[0]] {
            let night = try night(1e-9, limit: 600)
            #expect(night.read == [name])
            #expect(night.warnings.isEmpty)
        }
        #expect(try FileStatus.ifPresent(live.folder.state.appending(PostponedReadings.fileName)) == nil)
    }

    @Test("damage of the bytes that the new one shares makes a whole new one")
    func shared() throws {
        let live = try LiveStackFixture("scrub_shared")
        try live.letStampsAge()
        let first = try live.age(live.backup(retention: .count(100)).name, days: 8)
        try live.damage(first)
        let outcome = try live.backup(retention: .count(100))
        #expect(try live.item(outcome.name).status == .completed)
        #expect(try live.sidecar(outcome.name).generation == 0)
        #expect(try live.item(first).status == .corrupt)
    }
}
