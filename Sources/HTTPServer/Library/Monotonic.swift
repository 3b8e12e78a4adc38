// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The clock for durations and deadlines: it never jumps.
enum Monotonic {
    /// Seconds since some fixed moment.
    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
