// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// One file or link of the live artifacts that a restore would lose.
package struct TreeFinding: Sendable, Equatable {
    package enum Kind: String, Sendable, Codable {
        /// The backup has nothing of this name.
        case added
        /// The backup has another content, another target, or something of another kind there.
        case changed
        /// The same content with other extended attributes.
        case attributesChanged
        /// In no backup: a link that leaves the tree, a socket, a pipe, a device.
        case outsideBackups
    }

    package let kind: Kind
    /// Relative to the artifacts folder.
    package let path: EntryPath

    package init(_ kind: Kind, _ path: EntryPath) {
        self.kind = kind
        self.path = path
    }

    /// `artifacts/1/3f2a…/model.pkl was added`: a clause, without a full stop.
    package var text: BilingualText {
        let shown = Self.shown("artifacts/" + path.description)
        return switch kind {
        case .added: BilingualText(zh: "新增了文件 \(shown)", en: "\(shown) was added")
        case .changed: BilingualText(zh: "文件 \(shown) 已更改", en: "\(shown) was changed")
        case .attributesChanged:
            BilingualText(zh: "文件 \(shown) 的扩展属性已更改", en: "attributes of \(shown) were changed")
        case .outsideBackups: BilingualText(zh: "\(shown) 不属于任何备份", en: "\(shown) is in no backup")
        }
    }

    /// On one line, with nothing that moves a cursor or turns the reading direction.
    static func shown(_ path: String) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in path.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                clean.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default: clean.append(scalar)
            }
        }
        return String(clean)
    }
}

/// What was found, as far as it is kept, and how much there is.
package struct TreeFindings: Sendable, Equatable {
    /// The most that are kept.
    package static let limit = 1000

    /// In the order of their paths.
    package private(set) var kept: [TreeFinding] = []
    /// Counts those that were not kept, too.
    package private(set) var total = 0

    package init() {}

    package var isEmpty: Bool { total == 0 }

    mutating func add(_ finding: TreeFinding) {
        if kept.count < Self.limit { kept.append(finding) }
        total += 1
    }
}
