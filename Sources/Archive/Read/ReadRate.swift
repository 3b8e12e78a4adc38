// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Slows long reading down to a rate, so that a check of all backups leaves the disk to others.
public final class ReadRate: Sendable {
    private let bytesPerSecond: Double
    private let state: Monitor<(start: UInt64, bytes: UInt64)>

    /// - Parameter bytesPerSecond: at least one.
    public init(bytesPerSecond: UInt64) {
        self.bytesPerSecond = Double(max(bytesPerSecond, 1))
        state = Monitor((MonotonicTime.nanoseconds(), 0))
    }

    /// Counts bytes that were read, and sleeps as long as they came too fast.
    /// - Throws: `CancelledError`, which is looked at ten times a second.
    func spend(_ count: UInt64, _ cancellation: Cancellation?) throws {
        let (start, bytes) = state.withLock { state in
            state.bytes += count
            return state
        }
        let due = Double(bytes) / bytesPerSecond
        while case let wait = due - MonotonicTime.seconds(since: start), wait > 0 {
            try cancellation?.check()
            usleep(UInt32(min(wait, 0.1) * 1e6))
        }
    }
}
