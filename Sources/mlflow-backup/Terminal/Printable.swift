// SPDX-License-Identifier: Apache-2.0

import Wording

/// Text that came from outside, as a terminal may show it: nothing of it moves the cursor, hides or turns what stands around it.
enum Printable {
    /// - Parameter keepsLines: whether line breaks and tabs are ours.
    /// - Returns: controls (C0, DEL, C1), what turns the direction of writing (Unicode TR 9) and line separators as `\u009B`: the form that
    ///   JSON has for them, too.
    static func text(_ text: some StringProtocol, keepsLines: Bool = false) -> String {
        if !text.unicodeScalars.contains(where: { isHidden($0, keepsLines) }) { return String(text) }
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard isHidden(scalar, keepsLines) else {
                shown.append(scalar)
                continue
            }
            let digits = String(scalar.value, radix: 16, uppercase: true)
            shown.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars)
        }
        return String(shown)
    }

    private static func isHidden(_ scalar: Unicode.Scalar, _ keepsLines: Bool) -> Bool {
        switch scalar.value {
        case 0x09, 0x0a: !keepsLines
        default: scalar.steersDisplay
        }
    }

    /// Columns of a terminal that a text takes: two for the wide ones (Unicode TR 11), none for marks.
    static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { width, scalar in
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: return width
            default: break
            }
            switch scalar.value {
            case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
                0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
                return width + 2
            default: return width + 1
            }
        }
    }

    /// - Parameter width: columns; longer text is followed by one space.
    static func padded(_ text: String, _ columns: Int) -> String {
        text + String(repeating: " ", count: max(1, columns - width(text)))
    }
}
