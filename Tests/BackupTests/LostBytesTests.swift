// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A disk that does not give the bytes of a backup any more", .besideThePool)
struct LostBytesTests {
    /// Where the bytes are lost.
    enum Place: CaseIterable { case members, index, footer }

    @Test(
        "C30: EIO while the archive before is read is that archive's damage: marked, told, and a whole new backup is made",
        arguments: Place.allCases)
    func base(place: Place) throws {
        let live = try LiveStackFixture("lost_base")
        try OpenFile(live.artifacts.appending("weights"), .createNew(mode: 0o644)).write(Noise.bytes(9 << 20))
        try live.letStampsAge()
        let first = try live.backup().name
        try live.add(runs: 21...21)
        let item = try live.item(first)
        let index = try #require(item.sidecar).indexOffset
        let range: Range<UInt64> =
            switch place {
            case .members: 1..<index
            case .index: index..<(index + 1)
            case .footer: (item.size - 10)..<item.size
            }
        let outcome = try FaultShim(in: live.root.path).run(
            ["backup", "--json"], on: live, losing: range, of: item.path)
        #expect(outcome.succeeded, "\(outcome.errors)\(outcome.output)")
        #expect(outcome.output.contains(first.string), "it is told: \(outcome.output)")
        #expect(try live.item(first).status == .corrupt)
        #expect(try live.item(first).reason?.english.contains("Input/output error") == true)
        let newest = try #require(try Catalogue(live.folder).newestGood())
        #expect(newest.name != first)
        #expect(newest.sidecar?.generation == 0)
        _ = try VerifyJob(live.workspace()).run(newest.name.string)
    }

    @Test("EIO while a backup is verified is recorded as its damage, in each of its names")
    func verify() throws {
        let live = try LiveStackFixture("lost_verify")
        try live.letStampsAge()
        let names = try (0..<2).map { _ in try live.backup().name }
        let item = try live.item(names[0])
        let outcome = try FaultShim(in: live.root.path).run(
            ["verify", names[0].string], on: live, losing: 100..<200, of: item.path)
        #expect(outcome.exit == .code(6), "\(outcome.errors)\(outcome.output)")
        for name in names { #expect(try live.item(name).status == .corrupt) }
    }

    @Test("EIO on a folder's file that the next backup would share makes the next one whole")
    func folder() throws {
        let live = try LiveStackFixture("lost_folder")
        try live.letStampsAge()
        let first = try live.backup(.uncompressed).name
        try live.add(runs: 21...21)
        let index = live.folder.path.appending(first.string).appending("index.json")
        let outcome = try FaultShim(in: live.root.path).run(
            ["backup", "--no-compress", "--json"], on: live, losing: 0..<10, of: index)
        #expect(outcome.succeeded, "\(outcome.errors)\(outcome.output)")
        #expect(try live.item(first).status == .corrupt)
        #expect(try #require(try Catalogue(live.folder).newestGood()).sidecar?.generation == 0)
    }
}
