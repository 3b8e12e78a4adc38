// SPDX-License-Identifier: Apache-2.0

/// What one backup has that another has not, found by walking both indexes side by side.
package struct ArchiveDiff {
    package enum Change: Sendable, Equatable {
        case added(ArchiveIndex.Record)
        case removed(ArchiveIndex.Record)
        case changed(from: ArchiveIndex.Record, to: ArchiveIndex.Record)

        package var path: EntryPath {
            switch self {
            case .added(let record), .removed(let record), .changed(_, let record): record.entry.path
            }
        }
    }

    private let before: RecordStream
    private let after: RecordStream

    package init(from before: RecordStream, to after: RecordStream) {
        self.before = before
        self.after = after
    }

    /// Visits each difference in walk order. Times, owners and modes alone are no difference: content is.
    package func forEachChange(_ visit: (Change) throws -> Void) throws {
        var old = try before.next()
        var new = try after.next()
        while old != nil || new != nil {
            if let left = old, let right = new, left.entry.path == right.entry.path {
                // Each independent backup says in its manifest what it is itself: that is no change of what it holds.
                if !left.holdsTheSame(as: right), left.entry.path != .manifest {
                    try visit(.changed(from: left, to: right))
                }
                old = try before.next()
                new = try after.next()
            } else if let left = old, new.map({ left.entry.precedes($0.entry) }) ?? true {
                try visit(.removed(left))
                old = try before.next()
            } else if let right = new {
                try visit(.added(right))
                new = try after.next()
            }
        }
    }
}

extension ArchiveIndex.Record {
    fileprivate func holdsTheSame(as other: ArchiveIndex.Record) -> Bool {
        switch (entry.kind, other.entry.kind) {
        case (.file, .file): entry.size == other.entry.size && digest == other.digest
        default: entry.kind == other.entry.kind
        }
    }
}
