// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Who this process runs as, and which of root's rights it has (capabilities(7)).
package enum ProcessPrivilege {
    /// For what is said to a person; what it may do is asked below.
    package static var isRoot: Bool { geteuid() == 0 }

    /// Those that this process is in.
    package static var groups: Set<UInt32> {
        var groups = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
        let count = Int(getgroups(Int32(groups.count), &groups))
        return Set(groups.prefix(max(0, count))).union([getegid()])
    }

    /// Whether no mode and no list keeps this thread from reading a file (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH).
    package static var readsEverything: Bool { has(anyOf: 1 << 1 | 1 << 2) }
    /// Whether this thread may give files to others (CAP_CHOWN).
    package static var mayGiveAway: Bool { has(anyOf: 1 << 0) }
    /// Whether this thread may move and change what is another's, as if it were its own (CAP_FOWNER).
    package static var ownsEverything: Bool { has(anyOf: 1 << 3) }

    /// Whether this thread may give files to others, and goes on with them as if they were its own (and CAP_DAC_OVERRIDE).
    package static var mayWorkForOthers: Bool {
        let rights: UInt64 = 1 << 0 | 1 << 1 | 1 << 3
        return held & rights == rights
    }

    /// What root may is no question of the user's number: in a container it may have been left without any of it.
    /// - Parameter rights: bits as `linux/capability.h` numbers them.
    private static func has(anyOf rights: UInt64) -> Bool { held & rights != 0 }

    private static var held: UInt64 {
        guard let file = try? OpenFile("/proc/thread-self/status", .read), let text = try? file.readAll() else {
            return 0
        }
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        return line.flatMap { UInt64($0.dropFirst(7).trimmingPrefix { $0.isWhitespace }, radix: 16) } ?? 0
    }
}
