// SPDX-License-Identifier: Apache-2.0

/// What an entry of a dump that makes nothing is the content of, read from the list.
struct DumpedContent {
    /// False for the value of a sequence.
    let isRows: Bool
    /// `public.runs`.
    let table: String
    /// What the name alone may be.
    let names: [String]

    /// `3517; 0 16500 TABLE DATA cron job postgres`: schema, name, owner, which nothing but a space keeps apart, and each may have
    /// some.
    /// - Returns: `nil` for any other entry.
    init?(_ line: ArraySlice<UInt8>) {
        let words = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 8 else { return nil }
        switch (words[3], words[4]) {
        case ("TABLE", "DATA"): isRows = true
        case ("SEQUENCE", "SET"): isRows = false
        default: return nil
        }
        func text(_ range: Range<Int>) -> String { words[range].joined(separator: " ") }
        table = "\(String(words[5]).asIdentifier).\(text(6..<(words.count - 1)).asIdentifier)"
        names = (6..<(words.count - 1)).flatMap { start in
            ((start + 1)..<words.count).map { text(start..<$0) }
        }
    }
}
