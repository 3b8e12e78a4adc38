// SPDX-License-Identifier: Apache-2.0

/// What of a script of SQL is quoted: the bodies of functions, texts, names. Whoever made an object wrote what stands there, and may have
/// written what looks like a line of the script.
enum QuotedText {
    private enum State: Equatable {
        case outside
        /// With backslashes that escape: `E'…'`.
        case text(escapes: Bool)
        case name
        /// Until this comes again: `$body$`.
        case dollar(ArraySlice<UInt8>)
    }

    /// - Returns: of each line of `script`, whether it begins outside of all that is quoted.
    static func outsideLines(of script: [UInt8]) -> [Bool] {
        var lines = [true]
        var state = State.outside
        var place = script.startIndex
        while place < script.endIndex {
            let byte = script[place]
            if byte == newline { lines.append(state == .outside) }
            switch state {
            case .outside:
                switch byte {
                case UInt8(ascii: "'"): state = .text(escapes: isEscaping(script, before: place))
                case UInt8(ascii: "\""): state = .name
                case UInt8(ascii: "$"):
                    guard let mark = dollarMark(script, at: place) else { break }
                    state = .dollar(mark)
                    place += mark.count - 1
                case UInt8(ascii: "-") where script[place...].starts(with: Array("--".utf8)):
                    // What is a comment opens nothing.
                    while place + 1 < script.endIndex, script[place + 1] != newline { place += 1 }
                default: break
                }
            // Doubled, it closes the text and opens it again.
            case .text(let escapes):
                if byte == UInt8(ascii: "'") {
                    state = .outside
                    if escapes, place + 1 < script.endIndex, script[place + 1] == byte {
                        (state, place) = (.text(escapes: true), place + 1)
                    }
                } else if escapes, byte == UInt8(ascii: "\\"), place + 1 < script.endIndex {
                    place += 1
                    if script[place] == newline { lines.append(false) }
                }
            case .name: if byte == UInt8(ascii: "\"") { state = .outside }
            case .dollar(let mark):
                guard byte == UInt8(ascii: "$"), script[place...].starts(with: mark) else { break }
                state = .outside
                place += mark.count - 1
            }
            place += 1
        }
        return lines
    }

    /// Whether this is one name, quoted or not, and nothing else.
    static func isName(_ text: ArraySlice<UInt8>) -> Bool {
        let quote = UInt8(ascii: "\"")
        guard text.first == quote else {
            return !text.isEmpty && text.allSatisfy { isWord($0) || $0 == UInt8(ascii: "$") }
        }
        guard text.count > 2, text.last == quote else { return false }
        var inside = text.dropFirst().dropLast()
        while let place = inside.firstIndex(of: quote) {
            guard inside.dropFirst(place - inside.startIndex + 1).first == quote else { return false }
            inside = inside[(place + 2)...]
        }
        return true
    }

    /// What a name, quoted or not, is to the server.
    static func unquoted(_ name: some Collection<UInt8>) -> String {
        let quote = UInt8(ascii: "\"")
        guard name.first == quote, name.count > 1 else { return String(ofServer: Array(name)) }
        var bytes: [UInt8] = []
        var isDoubled = false
        for byte in name.dropFirst().dropLast() {
            isDoubled = byte == quote && !isDoubled
            if !isDoubled { bytes.append(byte) }
        }
        return String(ofServer: bytes)
    }

    /// The first place of a word that is in no quoted name. Before it there is no other quoted text.
    static func place(of word: String, outsideNamesOf text: ArraySlice<UInt8>) -> Int? {
        var isOutside = true
        for place in text.indices {
            if text[place] == UInt8(ascii: "\"") { isOutside.toggle() }
            if isOutside, text[place...].starts(with: word.utf8) { return place }
        }
        return nil
    }

    private static let newline = UInt8(ascii: "\n")

    /// Of a name or a number: nothing that begins a text.
    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }

    private static func isEscaping(_ script: [UInt8], before place: Int) -> Bool {
        guard place > 0, script[place - 1] | 0x20 == UInt8(ascii: "e") else { return false }
        return place < 2 || !isWord(script[place - 2])
    }

    /// `$`, a word or nothing, and `$` (PostgreSQL manual, 4.1.2.4).
    private static func dollarMark(_ script: [UInt8], at place: Int) -> ArraySlice<UInt8>? {
        if place > 0, isWord(script[place - 1]) || script[place - 1] == UInt8(ascii: "$") { return nil }
        let word = script[(place + 1)...].prefix(while: isWord)
        guard word.endIndex < script.endIndex, script[word.endIndex] == UInt8(ascii: "$"),
            word.first.map({ !(0x30...0x39).contains($0) }) ?? true
        else { return nil }
        return script[place...word.endIndex]
    }
}
