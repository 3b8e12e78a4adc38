// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("Old copies are read again after each backup")
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
