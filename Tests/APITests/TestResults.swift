// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Numbers that several threads come up with.
final class TestResults: Sendable {
    private let values = Monitor<[Int]>([])

    func add(_ value: Int) { values.withLock { $0.append(value) } }

    /// Waits until there are so many, at most half a minute.
    func wait(for count: Int) -> [Int] {
        values.wait(atMost: 30) { $0.count >= count ? $0 : nil } ?? values.withLock { $0 }
    }
}
