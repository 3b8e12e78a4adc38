// SPDX-License-Identifier: Apache-2.0

/// A value that must never be printed. Descriptions and dumps show stars.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The real value, for the one place that hands it on.
    package let revealed: String

    package init(_ value: String) { revealed = value }

    package var isEmpty: Bool { revealed.isEmpty }
    package var description: String { "******" }
    package var debugDescription: String { "******" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Compares in a time that does not depend on where the first difference is.
    package func matches(_ candidate: String) -> Bool {
        let mine = Array(revealed.utf8)
        let theirs = Array(candidate.utf8)
        var difference = UInt(bitPattern: mine.count ^ theirs.count)
        for index in theirs.indices {
            let own = mine.isEmpty ? 0 : mine[index % mine.count]
            difference |= UInt(own ^ theirs[index])
        }
        return difference == 0
    }
}
