// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Settles what processes leave while the service runs, as a command that was killed, and tries again what could not be
/// settled at start, as when PostgreSQL comes back later than the service.
final class RecoveryWatch: Sendable {
    /// Seconds between two looks: a `stat` and a SELECT each where nothing is to be done.
    private static let interval: Double = 10

    private let isStopped = Monitor(false)
    private let thread = Monitor<WorkerThread?>(nil)

    func start(_ settle: @escaping @Sendable () -> Void) throws {
        let isStopped = isStopped
        let started = try WorkerThread("recovery") {
            while isStopped.wait(atMost: Self.interval, until: { $0 ? () : nil }) == nil { settle() }
        }
        thread.withLock { $0 = started }
    }

    func stop() {
        isStopped.withLock { $0 = true }
        thread.withLock { $0.take() }?.join()
    }
}
