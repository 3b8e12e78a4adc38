// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Bytes of content that a restore may write, for all its threads. A restore that counts on keeping most files must
/// not fill a disk that others write to when fewer can be kept than their stamps promised.
final class WriteBudget: Sendable {
    private let left: Monitor<UInt64>

    init(_ bytes: UInt64) { left = Monitor(bytes) }

    /// - Throws: `ParallelExtractor.BudgetExceeded` before anything is written that goes beyond it.
    func take(_ bytes: UInt64) throws {
        let isEnough = left.withLock { left in
            guard left >= bytes else { return false }
            left -= bytes
            return true
        }
        if !isEnough { throw ParallelExtractor.BudgetExceeded() }
    }
}
