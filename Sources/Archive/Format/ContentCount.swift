// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Files and bytes of the artifacts in a backup, as its manifest counts them: a file with several names is one.
package struct ContentCount: Sendable, Equatable {
    package var files = 0
    package var bytes: UInt64 = 0

    package init() {}

    /// Sizes may come from an index that nobody has compared with anything, so the sum must not overflow.
    mutating func add(_ entry: ArchiveEntry) {
        guard entry.kind == .file, entry.path.isArtifact else { return }
        files += 1
        bytes = bytes.adding(clamped: entry.size)
    }
}

extension EntryPath {
    /// Whether it is below one of the artifacts folders.
    fileprivate var isArtifact: Bool {
        if relative(to: .artifacts) != nil { return true }
        return bytes.starts(with: ArchiveLayout.furtherArtifacts.utf8) && bytes.contains(UInt8(ascii: "/"))
    }
}
