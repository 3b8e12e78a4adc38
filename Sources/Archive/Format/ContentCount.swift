// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Files and bytes of the artifacts in a backup, as its manifest counts them: a file with several names is one.
package struct ContentCount: Sendable, Equatable {
    package var files = 0
    package var bytes: UInt64 = 0

    package init() {}

    /// Sizes may come from an index that nobody has compared with anything, so the sum must not overflow.
    mutating func add(_ entry: ArchiveEntry) {
        guard entry.kind == .file, entry.path.relative(to: .artifacts) != nil else { return }
        files += 1
        bytes = bytes.adding(clamped: entry.size)
    }
}
