// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Asks again until something is so.
package enum Patience {
    /// - Parameter seconds: how long at most, by a clock that nobody sets.
    package static func wait(_ what: String, atMost seconds: Double = 30, until isSo: () throws -> Bool) throws {
        let start = MonotonicTime.nanoseconds()
        while try !isSo() {
            if MonotonicTime.seconds(since: start) > seconds { throw WaitedInVain(what: what) }
            usleep(10_000)
        }
    }
}

package struct WaitedInVain: Error, CustomStringConvertible {
    package let what: String
    package var description: String { "waited in vain for \(what)" }
}
