// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@testable import Backup

extension Moment {
    /// The one that comes after so many seconds, by both clocks.
    static func now(after seconds: Int64) -> Moment {
        let now = Moment.now()
        return Moment(
            epoch: now.epoch + seconds, boot: now.boot.map { BootClock(id: $0.id, seconds: $0.seconds + seconds) })
    }
}

@Suite("How much time has passed")
struct MomentTests {
    @Test("a clock that is set does not count, within one start of the machine")
    func sameBoot() {
        let then = Moment(epoch: 1_000_000, boot: BootClock(id: "a", seconds: 50))
        for epoch in [Int64.min, 0, 1_000_060, 9_000_000, .max] {
            #expect(then.age(at: Moment(epoch: epoch, boot: BootClock(id: "a", seconds: 110))) == 60)
        }
    }

    @Test("a container that has an uptime of its own is not older than the wall clock says")
    func ownUptime() {
        let then = Moment(epoch: 1_000_000, boot: BootClock(id: "a", seconds: 60))
        for (epoch, age) in [(Int64(1_000_000), Int64(0)), (1_000_007, 7), (999_999, -1)] {
            #expect(then.age(at: Moment(epoch: epoch, boot: BootClock(id: "a", seconds: 200_000))) == age)
        }
    }

    @Test("after another start it is what the wall clock says, and no number makes it trap")
    func otherBoot() {
        let then = Moment(epoch: 1000, boot: BootClock(id: "a", seconds: 50))
        #expect(then.age(at: Moment(epoch: 1500, boot: BootClock(id: "b", seconds: 60))) == 500)
        #expect(then.age(at: Moment(epoch: 1500, boot: nil)) == 500)
        #expect(then.age(at: Moment(epoch: 1500, boot: BootClock(id: "a", seconds: 40))) == 500)
        #expect(Moment(epoch: .min, boot: nil).age(at: Moment(epoch: .max, boot: nil)) == -1)
        let low = Moment(epoch: 0, boot: BootClock(id: "a", seconds: .min))
        #expect(low.age(at: Moment(epoch: 3, boot: BootClock(id: "a", seconds: .max))) == 3)
    }

    @Test("the machine says when it was started")
    func machine() throws {
        let clock = try #require(BootClock.now())
        #expect(clock.id.count == 36 && clock.seconds > 0)
    }

    @Test("a restore by a clock that was a month behind can be undone as long as any other")
    func keptPart() throws {
        let live = try LiveStackFixture("moment_kept")
        let name = try live.backup().name.string
        let kept = try #require(try live.restore(name, force: true).kept)
        var part = try #require(try KeptPart.read(kept.id, in: live.folder))
        part.replacedAt -= 30 * 86_400
        try part.write(in: live.folder)
        try live.bounded(nil, keepSeconds: 86_400).holdingStack("test") { _ in }
        #expect(try live.keptIDs() == [kept.id])
        part.replacedSinceBoot = BootClock(id: "another", seconds: 7)
        try part.write(in: live.folder)
        try live.bounded(nil, keepSeconds: 86_400).holdingStack("test") { _ in }
        #expect(try live.keptIDs() == [])
    }
}
