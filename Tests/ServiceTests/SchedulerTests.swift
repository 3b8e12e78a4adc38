// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

@testable import Service

@Suite("The scheduler")
struct SchedulerTests {
    /// A wall clock that a test sets, and the runs that followed, each of which ends well at once.
    private final class Bench: Sendable {
        let time: Monitor<LocalTime>
        let runs = Monitor<[String]>([])
        let scheduler: Monitor<Scheduler?> = Monitor(nil)

        init(_ cron: String, now: String, lastRun: String?) throws {
            time = Monitor(try Bench.time(now))
            let last = try Bench.time(lastRun ?? now)
            let clock = Scheduler.Clock(now: { [time] in time.withLock { $0 } }, longestWait: 0.01)
            let run = ScheduledRun(try CronExpression(cron), in: nil, log: .silent) { min(last, $0) }
            let made = try Scheduler(run, clock: clock) { [runs] due in
                runs.withLock { $0.append(due.stamp) }
                run.end(isDealtWith: true)
            }
            scheduler.withLock { $0 = made }
        }

        deinit { stop() }

        static func time(_ stamp: String) throws -> LocalTime { try #require(LocalTime(stamp: stamp)) }
        func set(_ stamp: String) throws {
            let new = try Bench.time(stamp)
            time.withLock { $0 = new }
        }
        func waitForRuns(_ count: Int) -> [String]? { runs.wait(atMost: 20) { $0.count >= count ? $0 : nil } }
        func waitForNext(_ stamp: String) throws {
            let wanted = try Bench.time(stamp)
            for _ in 0..<2000 where nextRun != wanted { _ = runs.wait(atMost: 0.01) { _ in nil as Void? } }
            #expect(nextRun == wanted)
        }
        var nextRun: LocalTime? { scheduler.withLock { $0?.nextRun } }
        func stop() { scheduler.withLock { $0 }?.stop() }
    }

    @Test("It runs at each due time, and once for each")
    func due() throws {
        let bench = try Bench("0 2 * * *", now: "20240730_015959", lastRun: nil)
        try bench.waitForNext("20240730_020000")
        try bench.set("20240730_020000")
        #expect(bench.waitForRuns(1) == ["20240730_020000"])
        try bench.waitForNext("20240731_020000")
        try bench.set("20240731_020003")
        #expect(bench.waitForRuns(2) == ["20240730_020000", "20240731_020000"])
    }

    @Test("A run that was missed while the service was down is made up at start, once")
    func missed() throws {
        let bench = try Bench("0 2 * * *", now: "20240730_090000", lastRun: "20240727_020000")
        #expect(bench.waitForRuns(1) == ["20240728_020000"])
        try bench.waitForNext("20240731_020000")
        #expect(bench.runs.withLock { $0.count } == 1)
    }

    @Test("Nothing is made up after a good backup, nor at the first start", arguments: ["20240730_020007", nil])
    func nothingMissed(lastRun: String?) throws {
        let bench = try Bench("0 2 * * *", now: "20240730_090000", lastRun: lastRun)
        try bench.waitForNext("20240731_020000")
        #expect(bench.runs.withLock { $0.isEmpty })
    }

    @Test("A clock set forward by days makes one run, set back a little none; what one that was ahead said is void")
    func jumps() throws {
        let bench = try Bench("0 2 * * *", now: "20240730_010000", lastRun: nil)
        try bench.waitForNext("20240730_020000")
        try bench.set("20240805_120000")
        #expect(bench.waitForRuns(1) == ["20240730_020000"])
        try bench.waitForNext("20240806_020000")
        try bench.set("20240805_110000")
        try bench.waitForNext("20240806_020000")
        #expect(bench.runs.withLock { $0.count } == 1)
        try bench.set("20240730_030000")
        #expect(bench.waitForRuns(2)?.last == "20240730_020000")
        try bench.waitForNext("20240731_020000")
    }

    @Test("Stop ends the thread in the midst of its wait, and nothing is run any more")
    func stops() throws {
        let run = ScheduledRun(try CronExpression("* * * * *"), in: nil, log: .silent) { $0 }
        let (time, looks, runs) = (Monitor(try Bench.time("20240730_020010")), Monitor(0), Monitor(0))
        let clock = Scheduler.Clock(
            now: {
                looks.withLock { $0 += 1 }
                return time.withLock { $0 }
            }, longestWait: 3600)
        let scheduler = try Scheduler(run, clock: clock) { _ in runs.withLock { $0 += 1 } }
        // It has looked, and waits for the fifty seconds until then.
        try Patience.wait("the scheduler to know its next time") { scheduler.nextRun != nil }
        try time.withLock { $0 = try Bench.time("20240730_020100") }
        let started = MonotonicTime.nanoseconds()
        scheduler.stop()
        #expect(MonotonicTime.seconds(since: started) < 30)
        #expect(scheduler.nextRun == nil)
        #expect(looks.withLock { $0 } == 1 && runs.withLock { $0 } == 0)
    }
}
