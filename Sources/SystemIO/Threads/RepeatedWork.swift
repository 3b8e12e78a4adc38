// SPDX-License-Identifier: Apache-2.0

/// Something that is done every so many seconds, on a thread of its own, until it is stopped.
package final class RepeatedWork: Sendable {
    private let name: String
    private let seconds: Double
    private let isStopped = Monitor(false)
    private let thread = Monitor<WorkerThread?>(nil)

    /// - Parameters:
    ///   - name: as `WorkerThread`'s.
    ///   - seconds: from the end of one time to the next, and before the first.
    package init(_ name: String, every seconds: Double) {
        self.name = name
        self.seconds = seconds
    }

    /// - Parameter body: may block.
    package func start(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let started = try WorkerThread(name) { [isStopped, seconds] in
            while isStopped.wait(atMost: seconds, until: { $0 ? () : nil }) == nil { body() }
        }
        thread.withLock { $0 = started }
    }

    /// Waits for the time that is under way.
    package func stop() {
        isStopped.withLock { $0 = true }
        thread.withLock { $0.take() }?.join()
    }
}
