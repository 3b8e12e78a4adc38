// SPDX-License-Identifier: Apache-2.0

/// What a program said last, for a person.
package enum OutputLines {
    /// - Returns: eight lines at most, each short and without control characters.
    package static func last(of text: some StringProtocol) -> [String] {
        text.split(whereSeparator: \.isNewline).suffix(8).map { line in
            String(
                String.UnicodeScalarView(
                    line.unicodeScalars.prefix(400).filter { $0.properties.generalCategory != .control }))
        }.filter { !$0.isEmpty }
    }
}
