// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Wording

/// A flag that long work looks at between steps. Once set it stays set.
public final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    public func cancel() { flag.store(true, ordering: .releasing) }
    public var isCancelled: Bool { flag.load(ordering: .acquiring) }

    /// - Throws: `CancelledError` once `cancel` was called.
    public func check() throws {
        if isCancelled { throw CancelledError() }
    }
}

/// Work that ended because it was told to. Nothing was published; who told it, and why, is its teller's to say.
public struct CancelledError: ExplainedError {
    public init() {}

    public var explanation: BilingualText {
        BilingualText(zh: "任务已中止。", en: "The work was stopped.")
    }
}
