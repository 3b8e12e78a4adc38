// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A damaged sidecar makes a backup neither better nor another's, and hides no damage of it", .besideThePool)
struct DamagedSidecarTests {
    /// More than one bit of it.
    private func damageSidecar(_ live: LiveStackFixture, _ name: BackupName) throws {
        try Shell.sh("sed -i 's/\"size\" : [0-9]*/\"size\" : 7/' '\(live.folder.path)/\(name.sidecar)'")
        #expect(try live.item(name).status == .unverified)
    }

    private func verify(_ live: LiveStackFixture, _ name: BackupName) throws -> CatalogueItem {
        try VerifyJob(live.workspace()).run(name.string).item
    }

    /// A good backup, and one made while the artifacts were away.
    private func goodAndSuspicious(_ live: LiveStackFixture) throws -> (BackupName, BackupName) {
        try live.letStampsAge()
        let good = try live.backup(retention: .count(10)).name
        try Shell.sh("mv '\(live.artifacts)/1' '\(live.root.path)/away'")
        let small = try live.backup(retention: .count(10)).name
        #expect(try live.item(small).status == .suspicious)
        return (good, small)
    }

    enum Reading: CaseIterable { case byNight, asked, condemnedBefore }

    @Test("a suspicious one stays suspicious and pushes no good one out", arguments: Reading.allCases)
    func suspicious(reading: Reading) throws {
        let live = try LiveStackFixture("damaged_suspicious_\(reading)")
        let (good, small) = try goodAndSuspicious(live)
        try damageSidecar(live, small)
        if reading == .condemnedBefore {
            let error = SystemError("read", path: "x", code: EIO)
            try Verification(live.folder, log: .silent).condemn(live.item(small), because: error)
        }
        if reading != .byNight { #expect(try verify(live, small).status == .suspicious) }
        _ = try live.backup(retention: .count(1))
        _ = try live.backup(retention: .count(1))
        #expect(try live.names().contains(good.string))
        #expect(try live.item(good).status == .completed)
    }

    @Test("one that a person accepted is good again, as the sidecars of the others say")
    func accepted() throws {
        let live = try LiveStackFixture("damaged_accepted")
        let (_, small) = try goodAndSuspicious(live)
        try AcceptJob(live.workspace()).run(small.string)
        try damageSidecar(live, small)
        #expect(try verify(live, small).status == .completed)
        #expect(try live.backup(retention: .count(10)).suspicious == nil, "it is the measure still")
    }

    @Test("an old one is measured by those before it, as when it was made, and not by what has grown since")
    func grown() throws {
        let live = try LiveStackFixture("damaged_grown")
        var names: [BackupName] = [try live.backup(retention: .count(10)).name]
        for runs in [21...21, 22...24, 25...29, 30...70] {
            try live.add(runs: runs)
            names.append(try live.backup(retention: .count(10)).name)
        }
        try damageSidecar(live, names[1])
        #expect(try verify(live, names[1]).status == .completed)
    }

    @Test("bytes that are damaged, too, make it no person's: it is made up for")
    func damagedTwice() throws {
        let live = try LiveStackFixture("damaged_twice")
        let first = try live.backup(retention: .count(10)).name
        try live.add(runs: 21...21)
        try live.letStampsAge()
        _ = try live.backup(retention: .count(10))
        try live.damage(first)
        try damageSidecar(live, first)
        #expect(throws: (any Error).self) { try verify(live, first) }
        let item = try live.item(first)
        #expect(item.status == .corrupt && item.sidecar?.adopted == false)
        #expect(item.sidecar?.stack != nil, "its manifest can still be read")
        #expect(try live.backup(retention: .count(10)).sharing.generation == 0)
    }

    @Test(
        "one that is cut short, so that its manifest cannot be read, is read by night and told of",
        arguments: [true, false])
    func cutShort(gone: Bool) throws {
        let live = try LiveStackFixture("damaged_cut_\(gone)")
        let first = try live.backup(retention: .count(10)).name
        try live.add(runs: 21...21)
        try live.backup(retention: .count(10))
        try damageSidecar(live, first)
        if gone { try Directory.remove(live.folder.path.appending(first.sidecar)) }
        try Shell.sh("truncate -s 5000 '\(live.folder.path)/\(first)'")
        let outcome = try live.backup(retention: .count(10))
        #expect(outcome.warnings.contains { $0.english.contains(first.string) && $0.english.contains("sidecar") })
        #expect(outcome.warnings.contains { $0.english.contains("\(first) is damaged") })
        let item = try live.item(first)
        #expect(item.status == .corrupt)
        #expect(item.sidecar?.adopted == gone)
    }
}
