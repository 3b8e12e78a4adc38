// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPServer
import SystemIO
import TestSupport
import Testing
import Wording

@testable import API
@testable import mlflow_backup

/// `docs/errors.md`, as programs and people read it.
private struct ErrorList {
    struct Row {
        let code: String
        let statuses: Set<Int>
        let exits: Set<Int>
        let meaning: String
        let advice: String
    }

    let rows: [Row]

    init(_ text: String) throws {
        rows = try text.split(separator: "\n").filter { $0.hasPrefix("| <a ") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(cells.count == 5, "\(line)")
            let code = try #require(cells[0].wholeMatch(of: /<a id="(.+)"><\/a>`(.+)`/), "\(line)")
            #expect(code.1 == code.2)
            return Row(
                code: String(code.2), statuses: try Self.numbers(cells[1]), exits: try Self.numbers(cells[2]),
                meaning: cells[3], advice: cells[4])
        }
    }

    /// None for a hyphen.
    private static func numbers(_ cell: String) throws -> Set<Int> {
        if cell == "-" { return [] }
        return try Set(cell.split(separator: ",").map { try #require(Int($0.trimmingCharacters(in: .whitespaces))) })
    }

    static func read() throws -> ErrorList {
        try ErrorList(String(decoding: #require(Documents.named("errors.md")), as: UTF8.self))
    }
}

/// The codes that stand in the program's own text.
private struct SourceCodes {
    private(set) var ofTypes: [String: Set<String>] = [:]
    /// Written where no error is thrown: of tasks whose process ended, of what has no code.
    private(set) var others: Set<String> = []

    static let repository = FilePath(String(#filePath)).parent.parent.parent

    init() throws {
        let folder = URL(fileURLWithPath: Self.repository.appending("Sources").string)
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for place in text.matches(of: /errorCode: String \{(?! get \})/) {
                let before = text[..<place.range.lowerBound]
                let type = try #require(before.matches(of: /(?:enum|struct|extension) (\w+)/).last?.1, "\(file)")
                ofTypes[String(type), default: []].formUnion(Self.literals(Self.block(text[place.range.upperBound...])))
            }
            let single = /[cC]ode(?:: | \?\? | = )"([a-z]+(?:-[a-z]+)*)"/
            others.formUnion(text.matches(of: single).map { String($0.1) })
        }
    }

    var all: Set<String> { ofTypes.values.reduce(others) { $0.union($1) } }

    /// Up to the brace that ends it.
    private static func block(_ text: Substring) -> Substring {
        var depth = 1
        return text.prefix { character in
            if character == "{" { depth += 1 }
            if character == "}" { depth -= 1 }
            return depth > 0
        }
    }

    private static func literals(_ text: Substring) -> [String] { text.matches(of: /"([^"]+)"/).map { String($0.1) } }
}

@Suite("The list of errors", .serialized, .aheadBesideThePool)
struct ErrorListTests {
    @Test("it has each code of the program, once, and no other")
    func complete() throws {
        let listed = try ErrorList.read().rows.map(\.code)
        #expect(Set(listed).count == listed.count)
        let sources = try SourceCodes()
        #expect(sources.others.isSuperset(of: ["internal", "interrupted", "stopping", "cancelled"]))
        #expect(sources.all.subtracting(listed) == [])
        #expect(Set(listed).subtracting(sources.all) == [])
    }

    @Test("there is a sample of each error with a code, so that what is said of samples is said of all")
    func samples() throws {
        var sources = try SourceCodes().ofTypes
        // Its code is another's.
        #expect(sources.removeValue(forKey: "TaskCancelled") == [])
        for (type, codes) in sources {
            let sampled = try #require(ErrorSamples.ofEnums[type], "no samples of \(type)").map(\.errorCode)
            #expect(codes.symmetricDifference(sampled) == [], "\(type)")
        }
    }

    @Test("the statuses are those of the API's answers")
    func statuses() throws {
        let samples = Dictionary(grouping: ErrorSamples.all.filter(ErrorSamples.isAnswered)) { $0.stableCode }
        for row in try ErrorList.read().rows {
            #expect(Set((samples[row.code] ?? []).map { Problem($0).status }) == row.statuses, "\(row.code)")
        }
    }

    @Test("the exit codes are those of the command line")
    func exits() throws {
        let samples = Dictionary(grouping: ErrorSamples.all.filter(ErrorSamples.endsCommands)) { $0.stableCode }
        for row in try ErrorList.read().rows {
            #expect(Set((samples[row.code] ?? []).map { Int(ExitCode($0).rawValue) }) == row.exits, "\(row.code)")
        }
    }

    @Test("a command ends as the list says", arguments: [["frobnicate"], ["verify", "none"], ["restore", "--undo"]])
    func commands(arguments: [String]) throws {
        let live = try ServiceFixture("error_list_commands")
        let outcome = try live.command(arguments + ["--json"])
        let answer = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        let code = try #require((answer?["error"] as? [String: Any])?["code"] as? String, "\(outcome)")
        let row = try #require(ErrorList.read().rows.first { $0.code == code })
        #expect(row.exits.contains { outcome.exit == .code(Int32($0)) }, "\(code): \(outcome.exit)")
    }

    @Test("each row says what it means and what to do, in Chinese and in English")
    func languages() throws {
        for row in try ErrorList.read().rows {
            for cell in [row.meaning, row.advice] {
                // Commands, settings and fields are no language.
                let words = cell.replacing(/`[^`]*`/, with: "")
                #expect(words.contains(/\p{Han}/), "\(row.code): \(cell)")
                #expect(words.contains(/[A-Za-z]{2,} [a-z]+/), "\(row.code): \(cell)")
            }
        }
    }

    @Test("the service has it, for whoever asks, and the type of a problem leads to a place in it")
    func served() throws {
        let live = try ServiceFixture("error_list", settings: ["API_TOKEN": "a-token"])
        let refused = try live.send("GET", "/backups").object()
        #expect(refused["type"] as? String == "/docs/errors#unauthorized")
        let parts = try #require(refused["type"] as? String).split(separator: "#")
        let answer = try live.send("GET", String(parts[0]))
        #expect(answer.status == 200)
        let page = String(decoding: answer.body, as: UTF8.self)
        #expect(page.contains("<a id=\"\(parts[1])\"></a>"))
        let file = SourceCodes.repository.appending("docs/errors.md")
        #expect(try page == String(contentsOfFile: file.string, encoding: .utf8))
        let anchors = Set(try ErrorList.read().rows.map(\.code))
        for error in ErrorSamples.all {
            guard case .bytes(let bytes) = Problem(error).response(.english).body else { continue }
            let body = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            let type = try #require(body?["type"] as? String)
            #expect(type.hasPrefix("/docs/errors#") && anchors.contains(String(type.dropFirst(13))), "\(type)")
        }
    }
}
