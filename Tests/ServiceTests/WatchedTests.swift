// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import SystemIO
import TestSupport
import Testing

@testable import Service

@Suite("A value that one thread looks up for all", .onItsOwnThread)
struct WatchedTests {
    /// Counts its looks, and how many of them there were at once.
    private final class Looks: Sendable {
        let count = Atomic(0)
        let atOnce = Atomic(0)
        let most = Atomic(0)
        let seconds: Monitor<Double>

        init(_ seconds: Double) { self.seconds = Monitor(seconds) }

        func look() -> Int {
            let now = atOnce.wrappingAdd(1, ordering: .relaxed).newValue
            most.max(now, ordering: .relaxed)
            usleep(UInt32(seconds.read { $0 } * 1e6))
            atOnce.wrappingSubtract(1, ordering: .relaxed)
            return count.wrappingAdd(1, ordering: .relaxed).newValue
        }
    }

    @Test("two hundred that ask at once are answered by a look or two, never by two at a time")
    func singleFlight() throws {
        let looks = Looks(0.1)
        let watched = try Watched("test", freshFor: 60) { looks.look() }
        defer { watched.stop() }
        let answers = Monitor<[Int?]>([])
        let threads = try (0..<200).map { number in
            try WorkerThread("ask-\(number)") {
                let value = watched.current()?.value
                answers.withLock { $0.append(value) }
            }
        }
        threads.forEach { $0.join() }
        #expect(answers.read { $0.count } == 200 && answers.read { $0.allSatisfy { $0 != nil } })
        #expect(looks.most.load(ordering: .relaxed) == 1 && looks.count.load(ordering: .relaxed) == 1)
    }

    @Test("what changed before it was asked for is in the look that is waited for")
    func afterChange() throws {
        let value = Monitor(0)
        let watched = try Watched("test", freshFor: 60) { value.read { $0 } }
        defer { watched.stop() }
        for number in 1...50 {
            value.withLock { $0 = number }
            #expect(watched.look(waitingAtMost: 5)?.value == number)
        }
    }

    @Test("a look that hangs keeps nobody longer than he waits, and its age says that it hangs")
    func hanging() throws {
        let looks = Looks(0)
        let watched = try Watched("test", freshFor: 0.05) { looks.look() }
        defer { watched.stop() }
        #expect(watched.current(waitingAtMost: 5)?.value == 1)
        looks.seconds.withLock { $0 = 3 }
        usleep(200_000)
        let start = MonotonicTime.nanoseconds()
        let seen = watched.current(waitingAtMost: 0.3)
        #expect(seen?.value == 1 && seen.map { $0.age > 0.15 } == true)
        #expect(MonotonicTime.seconds(since: start) < 2)
    }

    @Test("a look that hangs is waited for once: who asks later has what there is at once")
    func hangingForLong() throws {
        let looks = Looks(0)
        let watched = try Watched("test", freshFor: 0.05) { looks.look() }
        defer { watched.stop() }
        #expect(watched.current(waitingAtMost: 5)?.value == 1)
        looks.seconds.withLock { $0 = 5 }
        usleep(200_000)
        #expect(watched.current(waitingAtMost: 1)?.value == 1)
        let start = MonotonicTime.nanoseconds()
        for _ in 0..<20 { #expect(watched.current(waitingAtMost: 1)?.value == 1) }
        #expect(MonotonicTime.seconds(since: start) < 1)
    }

    @Test("what is good for longer than it is fresh is waited for by nobody, and made anew all the same")
    func goodForLonger() throws {
        let looks = Looks(0)
        let watched = try Watched("test", freshFor: 0.05, goodFor: 60) { looks.look() }
        defer { watched.stop() }
        #expect(watched.current(waitingAtMost: 5)?.value == 1)
        looks.seconds.withLock { $0 = 1 }
        usleep(100_000)
        let start = MonotonicTime.nanoseconds()
        #expect(watched.current(waitingAtMost: 5)?.value == 1)
        #expect(MonotonicTime.seconds(since: start) < 0.5)
        try Patience.wait("the second look") { watched.current()?.value == 2 }
    }

    @Test("what is known to be otherwise is given to nobody who asks afterwards")
    func outdated() throws {
        let value = Monitor(1)
        let watched = try Watched("test", freshFor: 60, goodFor: 60) { value.read { $0 } }
        defer { watched.stop() }
        #expect(watched.current()?.value == 1)
        for number in 2...50 {
            value.withLock { $0 = number }
            watched.outdate()
            #expect(watched.current(waitingAtMost: 5)?.value == number)
        }
    }

    @Test("nobody who asks is no reason not to look")
    func idle() throws {
        let looks = Looks(0)
        let watched = try Watched("test", freshFor: 60, idle: 0.1) { looks.look() }
        defer { watched.stop() }
        try Patience.wait("three looks") { looks.count.load(ordering: .relaxed) >= 3 }
    }
}
