// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Testing

@Suite("Threads and what they wait for")
struct ThreadTests {
    @Test("a waiter wakes when the value is what it waits for, and no change is lost between many threads")
    func monitor() throws {
        let count = Monitor(0)
        let workers = try (0..<8).map { _ in
            try WorkerThread("count") { for _ in 0..<500 { count.withLock { $0 += 1 } } }
        }
        #expect(count.wait { $0 == 4000 ? $0 : nil } == 4000)
        workers.forEach { $0.join() }
    }

    @Test(
        "a wait that nobody ends gives up, at once where its time is already gone",
        arguments: [0, 0.05, -1, -0.5] as [Double])
    func timeouts(seconds: Double) {
        let monitor = Monitor(0)
        #expect(monitor.wait(atMost: seconds) { _ in Int?.none } == nil)
        #expect(monitor.wait(atMost: seconds) { _ in 5 } == 5)
    }

    @Test("a part of some work ends with the whole, alone, or when its time is up")
    func partsOfWork() {
        let whole = Cancellation()
        let (part, short) = (Cancellation(within: whole), Cancellation(within: whole, atMost: 0))
        #expect(short.isCancelled && !part.isCancelled && !whole.isCancelled)
        let alone = Cancellation(within: whole, atMost: 1e300)
        alone.cancel()
        #expect(alone.isCancelled && !whole.isCancelled)
        whole.cancel()
        #expect(part.isCancelled)
        #expect(throws: CancelledError.self) { try part.check() }
    }

    @Test("a wait without end can be written as infinity")
    func infinity() throws {
        let monitor = Monitor(false)
        let worker = try WorkerThread("set") { monitor.withLock { $0 = true } }
        #expect(monitor.wait(atMost: .infinity) { $0 ? 1 : nil } == 1)
        worker.join()
    }

    @Test("join returns after the body, and may be called twice or on a thread long gone")
    func join() throws {
        let done = Monitor(false)
        let worker = try WorkerThread("a name longer than the kernel keeps") { done.withLock { $0 = true } }
        worker.join()
        #expect(done.withLock { $0 })
        worker.join()
    }

    @Test("cancelling stays")
    func cancellation() throws {
        let stop = Cancellation()
        try stop.check()
        stop.cancel()
        stop.cancel()
        #expect(stop.isCancelled)
        #expect(throws: CancelledError.self) { try stop.check() }
    }
}
