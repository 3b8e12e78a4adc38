// SPDX-License-Identifier: Apache-2.0

extension String {
    /// One word of a command that a person pastes into a shell, as root perhaps: whatever a client called its folder, no character
    /// of it is more than a character. What moves a cursor or ends a line is written as bash, ksh and zsh read it (`$'\x0a'`).
    package var shellQuoted: String {
        guard unicodeScalars.contains(where: Self.movesCursor) else {
            return "'" + escaping(["'"]) { _ in "'\\''" } + "'"
        }
        var word = ""
        for scalar in unicodeScalars {
            switch scalar {
            // No quote at all: dash, which does not know this form, would take it for the end of the word.
            case "'", "\\": word += Self.escaped(UInt8(truncatingIfNeeded: scalar.value))
            case _ where Self.movesCursor(scalar): for byte in String(scalar).utf8 { word += Self.escaped(byte) }
            default: word.unicodeScalars.append(scalar)
            }
        }
        return "$'" + word + "'"
    }

    /// The same where it has to be; a name of letters, digits and `._-` stays what it is.
    package var shellWord: String {
        let isPlain =
            !isEmpty
            && utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
            }
        return isPlain ? self : shellQuoted
    }

    /// A name beside such a command, for a person: a line break in it must not begin what looks like another command.
    package var shown: String {
        var text = ""
        for scalar in unicodeScalars {
            guard Self.movesCursor(scalar) else {
                text.unicodeScalars.append(scalar)
                continue
            }
            for byte in String(scalar).utf8 { text += Self.escaped(byte) }
        }
        return text
    }

    private static func movesCursor(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// A hexadecimal digit behind it would not be taken for a part of it: two digits are the most (bash(1), QUOTING).
    private static func escaped(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count < 2 ? "0" : "") + digits
    }
}
