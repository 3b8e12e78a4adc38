// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How much is tried of what differs in degree and not in kind: seeds, places of a flipped bit, moments of a kill.
///
/// `scripts/test` tries some of it, `scripts/test --long` all. What is not tried in the short form is no promise that is not
/// tested, but another instance of one that is.
package enum TestForm {
    package static let isLong = ProcessInfo.processInfo.environment["MLFLOW_TESTS"] == "long"

    /// `scripts/test --quick`: what computes. A suite that is `Placed`, since it waits for our program or a server, is left out,
    /// and nothing is mounted.
    package static let isQuick = ProcessInfo.processInfo.environment["MLFLOW_TESTS"] == "quick"

    package static func pick<Value>(short: Value, long: Value) -> Value { isLong ? long : short }

    /// Every so manyth of some cases, beginning with the first; in the long form each.
    package static func oneIn<Case>(_ share: Int, of cases: [Case]) -> [Case] {
        isLong ? cases : cases.enumerated().filter { $0.offset % share == 0 }.map(\.element)
    }

    /// Every so manyth of all pairs, along diagonals: each of both is met where there are at least `share` of the other.
    package static func oneIn<First, Second>(_ share: Int, of first: [First], with second: [Second]) -> [(
        First, Second
    )] {
        first.enumerated().flatMap { row, one in
            second.enumerated().filter { isLong || (row + $0.offset) % share == 0 }.map { (one, $0.element) }
        }
    }
}
