// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Files and bytes of the artifacts in a backup, as its manifest counts them: a file with several names is one.
package struct ContentCount: Sendable, Equatable {
    package struct Folder: Sendable, Equatable {
        package var files = 0
        package var bytes: UInt64 = 0

        package init(files: Int = 0, bytes: UInt64 = 0) { (self.files, self.bytes) = (files, bytes) }
    }

    /// Of the first folder.
    package private(set) var first = Folder()
    /// Of each further one, by its name; one without files has none.
    package private(set) var further: [String: Folder] = [:]

    package init() {}

    package init(first: Folder, further: [String: Folder]) {
        self.first = first
        self.further = further.filter { $0.value.files > 0 }
    }

    /// Of all folders.
    package var files: Int { further.values.reduce(first.files) { $0.adding(clamped: $1.files) } }
    package var bytes: UInt64 { further.values.reduce(first.bytes) { $0.adding(clamped: $1.bytes) } }

    /// Sizes may come from an index that nobody has compared with anything, so the sum must not overflow.
    mutating func add(_ entry: ArchiveEntry) {
        guard entry.kind == .file else { return }
        if entry.path.relative(to: .artifacts) != nil {
            first.add(entry.size)
        } else if let name = entry.path.furtherRoot {
            further[name, default: Folder()].add(entry.size)
        }
    }
}

extension ContentCount.Folder {
    fileprivate mutating func add(_ size: UInt64) {
        files = files.adding(clamped: 1)
        bytes = bytes.adding(clamped: size)
    }
}
