// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What restored files could not be given: this user may not, or the file system has no such thing.
package struct DeniedLooks: Sendable, Equatable {
    package enum Kind: Sendable, CaseIterable {
        /// Its user or its group. The group that it has instead has no right that others had not (`RestoredLooks.due`).
        case owner
        /// Set-uid or set-gid of a file whose owner is another one than it speaks for, or root.
        case setID
        /// Its access list: nobody has more rights for that, some may have fewer.
        case accessList
        case attributes
    }

    package struct Count: Sendable, Equatable {
        package fileprivate(set) var number: Int
        /// One of them, below the folder that was restored.
        package fileprivate(set) var example: EntryPath
    }

    package private(set) var counts: [Kind: Count] = [:]

    package init() {}

    package var isEmpty: Bool { counts.isEmpty }

    package mutating func note(_ kind: Kind, _ path: EntryPath) {
        counts[kind, default: Count(number: 0, example: path)].number += 1
    }

    static func += (total: inout DeniedLooks, part: DeniedLooks) {
        for (kind, count) in part.counts {
            total.counts[kind, default: Count(number: 0, example: count.example)].number += count.number
        }
    }
}
