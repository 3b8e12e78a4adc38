// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Wording

/// A flag that long work looks at between steps. Once set it stays set.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    private let outer: Cancellation?
    private let start = MonotonicTime.nanoseconds()
    private let limit: Double

    package init() { (outer, limit) = (nil, .infinity) }

    /// For a part of the work, which ends with the whole, and can be told to end alone.
    /// - Parameter seconds: after which it ends in any case.
    package init(within outer: Cancellation, atMost seconds: Double = .infinity) {
        (self.outer, limit) = (outer, seconds)
    }

    package func cancel() { flag.store(true, ordering: .releasing) }
    package var isCancelled: Bool {
        flag.load(ordering: .acquiring) || outer?.isCancelled == true
            || limit.isFinite && MonotonicTime.seconds(since: start) >= limit
    }

    /// - Throws: `CancelledError` once `cancel` was called, or its time is up.
    package func check() throws {
        if isCancelled { throw CancelledError() }
    }
}

/// Work that ended because it was told to. Nothing was published; who told it, and why, is its teller's to say.
package struct CancelledError: ExplainedError {
    package init() {}

    package var explanation: BilingualText {
        BilingualText(zh: "任务已中止。", en: "The work was stopped.")
    }
}
