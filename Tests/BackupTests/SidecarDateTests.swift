// SPDX-License-Identifier: Apache-2.0

import Archive
import Foundation
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A date in a sidecar that is not that of the backup", .besideThePool)
struct SidecarDateTests {
    /// Every date that differs from this one in one bit and can still be read.
    private func flips(_ date: Int64) -> [Int64] {
        let digits = Array(String(date).utf8)
        return digits.indices.flatMap { place in
            (0..<8).compactMap { bit -> Int64? in
                var flipped = digits
                flipped[place] ^= 1 << bit
                return Int64(String(decoding: flipped, as: UTF8.self))
            }
        }.filter { $0 != date }
    }

    @Test("moves no backup: whichever bit is flipped, it is listed and counted by the time in its name")
    func anyBit() throws {
        let live = try LiveStackFixture("date_bits")
        let name = try live.backup().name
        let good = try live.sidecar(name)
        let flips = flips(good.createdAt)
        #expect(flips.count >= 10)
        for date in flips {
            var sidecar = good
            sidecar.createdAt = date
            try sidecar.write(in: live.folder)
            #expect(abs(try live.item(name).created.epoch - good.createdAt) < 1000, "\(date)")
        }
    }

    @Test("is damage of the sidecar: verify says so and puts it right, by the manifest")
    func verify() throws {
        let live = try LiveStackFixture("date_verify")
        for kind in BackupName.Kind.all {
            let name = try live.backup(kind).name
            let good = try live.sidecar(name)
            #expect(try VerifyJob(live.workspace()).run(name.string).notes.isEmpty)
            for date in flips(good.createdAt) where abs(date - good.createdAt) >= 100 {
                var sidecar = good
                sidecar.createdAt = date
                try sidecar.write(in: live.folder)
                let notes = try VerifyJob(live.workspace()).run(name.string).notes
                #expect(
                    notes.contains { $0.english.contains("date") && $0.chinese.contains("时间") }, "\(date): \(notes)")
                #expect(try live.sidecar(name).createdAt == good.createdAt)
            }
        }
    }

    @Test("lets no backup go that the rule keeps, and keeps none for ever")
    func retention() throws {
        let live = try LiveStackFixture("date_retention")
        var names: [BackupName] = []
        for number in 0..<3 {
            try live.add(runs: (50 + number)...(50 + number))
            names.append(try live.backup(retention: .count(10)).name)
        }
        for (name, date) in [(names[2], 1_700_000_000), (names[0], 4_000_000_000)] as [(BackupName, Int64)] {
            var sidecar = try live.sidecar(name)
            sidecar.createdAt = date
            try sidecar.write(in: live.folder)
        }
        let outcome = try PruneJob(live.workspace(), rule: .count(2)).run()
        #expect(outcome.removed == [names[0]], "\(outcome)")
        #expect(try Set(live.names()) == [names[1].string, names[2].string])
    }

    @Test("A second name of an archive has a date of its own, which its manifest does not say")
    func secondName() throws {
        let live = try LiveStackFixture("date_second")
        try live.letStampsAge()
        let names = try (0..<2).map { _ in try live.backup(retention: .count(10)).name }
        #expect(try live.inode(names[0]) == live.inode(names[1]))
        let before = try live.sidecar(names[1]).createdAt
        #expect(try VerifyJob(live.workspace()).run(names[1].string).notes.isEmpty)
        #expect(try live.sidecar(names[1]).createdAt == before)
        var sidecar = try live.sidecar(names[1])
        sidecar.createdAt = 1_700_000_000
        try sidecar.write(in: live.folder)
        #expect(try !VerifyJob(live.workspace()).run(names[1].string).notes.isEmpty)
        #expect(abs(try live.sidecar(names[1]).createdAt - before) <= 60)
    }
}
