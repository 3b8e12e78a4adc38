// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What an engine says is read by clients of the API and by people at a shell alike: no option and no route may be in it.
@Suite("The words in the engines' sources")
struct EngineWordsTests {
    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Sources")

    /// Arguments of PostgreSQL's programs.
    private static let ofOtherPrograms = ["Postgres/Tools/"]
    /// Sentences that name an option of another program.
    private static let excepted = ["a sparse file; pack again without --sparse", "稀疏文件；请不带 --sparse 重新打包"]

    @Test("name no option and no route", arguments: ["Archive", "Postgres", "MLflowStore", "Backup"])
    func words(_ target: String) throws {
        let folder = Self.sources.appendingPathComponent(target)
        let names = try #require(FileManager.default.subpaths(atPath: folder.path))
        var literals = 0
        for name in names where name.hasSuffix(".swift") {
            let path = "\(target)/\(name)"
            if Self.ofOtherPrograms.contains(where: path.hasPrefix) { continue }
            for literal in Self.literals(try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) {
                literals += 1
                if Self.excepted.contains(literal) { continue }
                for foreign in [#"--[a-z]"#, #"(GET|POST|PUT|DELETE) /"#, #"\\"force"#] {
                    #expect(literal.range(of: foreign, options: .regularExpression) == nil, "\(path): \(literal)")
                }
            }
        }
        #expect(literals > 100, "they were found")
    }

    @Test("are found: literals with escapes and in several lines, and no comments")
    func literals() {
        let source = #"""
            /// A comment with "words" and --flag.
            let one = "a \"force\": true \(name("x")) --yes"  // "none"
            let many = """
                first --two
                """
            """#
        let found = Self.literals(source)
        #expect(found.contains { $0.contains(#"\"force\""#) && $0.contains("--yes") })
        #expect(found.contains { $0.contains("first --two") })
        #expect(!found.contains { $0.contains("words") || $0.contains("none") || $0.contains("--flag") })
    }

    /// The string literals of a source, as written. What is inserted into one (`\(…)`) is part of it.
    private static func literals(_ source: String) -> [String] {
        var found: [String] = []
        var rest = source[...]
        while let mark = rest.firstIndex(where: { $0 == "\"" || $0 == "/" }) {
            rest = rest[mark...]
            if rest.hasPrefix("//") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("\"\"\"") {
                rest = rest.dropFirst(3)
                let end = rest.range(of: "\"\"\"")?.lowerBound ?? rest.endIndex
                found.append(String(rest[..<end]))
                rest = rest[end...].dropFirst(3)
            } else if rest.hasPrefix("\"") {
                let (literal, after) = line(rest.dropFirst())
                found.append(literal)
                rest = after
            } else {
                rest = rest.dropFirst()
            }
        }
        return found
    }

    /// - Parameter text: what follows the opening quote.
    private static func line(_ text: Substring) -> (String, Substring) {
        var depth = 0
        var isEscaped = false
        for place in text.indices {
            let character = text[place]
            if isEscaped {
                isEscaped = false
                if character == "(" { depth += 1 }
            } else if character == "\\" {
                isEscaped = true
            } else if depth > 0 {
                depth += character == "(" ? 1 : character == ")" ? -1 : 0
            } else if character == "\"" {
                return (String(text[..<place]), text[text.index(after: place)...])
            }
        }
        return (String(text), "")
    }
}
