// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Slows long reading down to a rate, so that a check of all backups leaves the disk to others.
package final class ReadRate: Sendable {
    private let bytesPerSecond: Double
    /// Seconds on the monotonic clock at which everything read so far is paid for.
    private let paid = Monitor(0.0)

    /// - Parameter bytesPerSecond: at least one.
    package init(bytesPerSecond: UInt64) { self.bytesPerSecond = Double(max(bytesPerSecond, 1)) }

    /// Counts bytes that were read, and sleeps as long as they came too fast. Time in which nothing was read earns a
    /// quarter of a second of credit and no more.
    /// - Throws: `CancelledError`, which is looked at ten times a second.
    func spend(_ count: UInt64, _ cancellation: Cancellation?) throws {
        let now = MonotonicTime.seconds(since: 0)
        let due = paid.withLock { paid in
            paid = max(paid, now - Self.credit) + Double(count) / bytesPerSecond
            return paid
        }
        while case let wait = due - MonotonicTime.seconds(since: 0), wait > 0 {
            try cancellation?.check()
            usleep(UInt32(min(wait, 0.1) * 1e6))
        }
    }

    private static let credit = 0.25
}
