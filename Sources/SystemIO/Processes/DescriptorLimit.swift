// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How many files this process may have open (getrlimit(2), RLIMIT_NOFILE).
package enum DescriptorLimit {
    /// More than any of ours needs; some programs that we start take time for each that they may have.
    private static let enough: rlim_t = 65536

    /// The soft limit.
    package static var current: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return Int(enough) }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the soft limit, which shells and services set low for programs of old, as far as it may be raised. What cannot be
    /// raised is no error: it is met where it is too low.
    package static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, enough)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
