// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A claim, and how long it has lasted", .besideThePool)
struct ClaimTests {
    private func stack(_ system: String) -> StackIdentity {
        StackIdentity(system: system, database: "mlflow", artifacts: "a\(system)")
    }

    private func owner(
        _ item: CatalogueItem, _ live: LiveStackFixture, _ heir: StackIdentity, after seconds: Int64 = 0
    ) throws -> Ownership.Owner {
        try Ownership(
            of: heir, among: Catalogue(live.folder).items(), in: live.folder, now: .now(after: seconds)
        ).owner(of: item)
    }

    /// The stack that made the backup lives.
    private func expectForeign(
        _ item: CatalogueItem, _ live: LiveStackFixture, _ heir: StackIdentity, after seconds: Int64,
        at place: SourceLocation = #_sourceLocation
    ) throws {
        let owner = try owner(item, live, heir, after: seconds)
        guard case .foreign = owner else {
            Issue.record("\(owner) after \(seconds) s", sourceLocation: place)
            return
        }
    }

    /// Written as at that moment, with what is in the folder.
    private func claim(_ live: LiveStackFixture, _ heir: StackIdentity, at moment: Moment) throws {
        let items = try Catalogue(live.folder).items()
        let taken = try #require(items.first?.sidecar?.stack)
        try Claims(claims: [Claim(on: taken, by: heir, .person, among: items, now: moment)]).write(in: live.folder)
    }

    @Test(
        "by a clock that was a month behind it has the days of grace that it has by a right one",
        arguments: [true, false])
    func clockBehind(isSameBoot: Bool) throws {
        let live = try LiveStackFixture("claim_behind")
        let item = try live.item(live.backup().name)
        let heir = stack("7")
        let now = Moment.now()
        let boot = isSameBoot ? now.boot : BootClock(id: "another", seconds: 5)
        try claim(live, heir, at: Moment(epoch: now.epoch - 30 * 86_400, boot: boot))
        #expect(try owner(item, live, heir) == .claimedLately)
        #expect(try owner(item, live, heir, after: 25 * 3600) == .claimedLately)
        #expect(try owner(item, live, heir, after: 27 * 3600) == .ours)
    }

    @Test("ends with the next backup of the other stack, whatever its date")
    func livingStack() throws {
        let live = try LiveStackFixture("claim_alive")
        let item = try live.item(live.backup().name)
        let heir = stack("8")
        try claim(live, heir, at: .now())
        #expect(try owner(item, live, heir, after: 27 * 3600) == .ours)
        _ = try live.age(live.backup().name, days: 3, readDaysAgo: 0)
        try expectForeign(item, live, heir, after: 27 * 3600)
    }

    @Test(
        "that has ended does not begin again, whatever becomes of the backup that ended it",
        arguments: ["rm X X.json", "rm X.json", "mv X.json Y.json; mv X Y"])
    func endLasts(deed: String) throws {
        let live = try LiveStackFixture("claim_ended")
        let item = try live.item(live.backup().name)
        let heir = stack("10")
        try claim(live, heir, at: .now())
        let next = try live.backup().name.string
        let shell = deed.replacing("X", with: next).replacing("Y", with: "renamed.tar.gz")
        try Shell.sh("cd '\(live.folder.path)' && \(shell)")
        for after in [0, 27 * 3600, 90 * 86_400] as [Int64] {
            try expectForeign(item, live, heir, after: after)
        }
    }

    @Test("of a build that knew no end is read as one that holds")
    func withoutEnd() throws {
        struct Older: Encodable {
            struct One: Encodable {
                let taken, by: StackIdentity
                let at: Moment
                let origin: Claim.Origin
                let present: [String]
            }
            let claims: [One]
        }
        let live = try LiveStackFixture("claim_older")
        let item = try live.item(live.backup().name)
        let (heir, taken) = (stack("12"), try #require(item.sidecar?.stack))
        let older = Older(claims: [
            .init(taken: taken, by: heir, at: .now(), origin: .person, present: [item.name.string])
        ])
        try SealedRecord.write(older, to: Claims.path(in: live.folder), mode: 0o640)
        #expect(try owner(item, live, heir) == .claimedLately)
    }

    @Test("is ended also by a backup whose sidecar is lost, and of which its maker noted nothing")
    func lostSidecar() throws {
        let live = try LiveStackFixture("claim_lost_sidecar")
        let item = try live.item(live.backup().name)
        let heir = stack("11")
        try claim(live, heir, at: .now())
        let list = try OpenFile(Claims.path(in: live.folder), .read).readAll()
        let next = try live.backup().name
        try DurableFile.replace(Claims.path(in: live.folder), with: list)
        try Directory.remove(live.folder.path.appending(next.sidecar))
        try expectForeign(item, live, heir, after: 27 * 3600)
    }

    @Test("a list of claims of which bits flipped lets nothing go, and says so")
    func damaged() throws {
        let live = try LiveStackFixture("claim_damaged")
        let item = try live.item(live.backup().name)
        let heir = stack("9")
        try claim(live, heir, at: .now())
        let path = Claims.path(in: live.folder)
        let text = String(decoding: try OpenFile(path, .read).readAll(), as: UTF8.self)
        for changed in [
            text.replacing(#/"epoch" : \d/#, with: "\"epoch\" : 7"), "", "{}",
            text.replacing("\"seal\"", with: "\"sea1s\""),
        ] {
            try DurableFile.replace(path, with: Array(changed.utf8))
            let items = try Catalogue(live.folder).items()
            let ownership = try Ownership(of: heir, among: items, in: live.folder, now: .now(after: 30 * 86_400))
            #expect(!ownership.mayRemove(item) && !ownership.mayReuse(item))
            let told = ownership.warnings(items, artifacts: live.artifacts)
            #expect(told.contains { $0.english.contains("claims.json") }, "\(told)")
        }
    }
}
