// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// So much content is received at once, in all connections together. It is taken when a request says how much it has.
final class ContentRoom: Sendable {
    private let limit: Int
    private let taken = Atomic(0)

    /// - Parameter limit: in bytes.
    init(_ limit: Int) { self.limit = limit }

    /// - Returns: `false` where there is not so much left.
    func take(_ count: Int) -> Bool {
        if taken.add(count, ordering: .relaxed).newValue <= limit { return true }
        giveBack(count)
        return false
    }

    func giveBack(_ count: Int) { taken.subtract(count, ordering: .relaxed) }
}
