// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What the documents for those who change the program name is there: a file, a test or an import that is another now breaks this.
@Suite("What the documents name is there")
struct DocumentsTests {
    private static let documents = [
        "README.md", "README.zh.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/backup-format.md",
        "docs/docker.md", "docs/ground.md", "docs/invariants.md", "docs/restore.md", "docs/retention.md",
        "docs/service.md", "docs/threat-model.md",
    ]

    @Test("files and folders", arguments: documents)
    func files(_ document: String) throws {
        let checkout = try Checkout()
        let path =
            /(?:[\w+.-]+\/)*[\w+.-]+\.(?:swift|py|sh)|(?:[A-Za-z][\w+-]*\/)+|(?:docker|docs|scripts|Tests|Sources)\/[\w\/+.-]+/
        for span in Checkout.spans(try checkout.text(document)) where span.wholeMatch(of: path) != nil {
            #expect(!checkout.named(span).isEmpty, "\(document) names \(span)")
        }
        for link in try checkout.text(document).matches(of: /\]\(([^)#:]+)(?:#[^)]*)?\)/) {
            let base = URL(fileURLWithPath: "/" + document).deletingLastPathComponent()
            let target = base.appendingPathComponent(String(link.1)).standardizedFileURL.path.dropFirst()
            let file = Checkout.root.appendingPathComponent(String(target))
            #expect(FileManager.default.fileExists(atPath: file.path), "\(document) links to \(link.1)")
        }
    }

    @Test("what in a file keeps a promise")
    func members() throws {
        let checkout = try Checkout()
        let member = /`([\w+\/.-]+\.swift)` \(((?:`\w+`(?:, )?)+)\)/
        for place in try checkout.text("docs/invariants.md").matches(of: member) {
            let texts = try checkout.named(String(place.1)).map(checkout.text)
            for name in Checkout.spans(String(place.2)) {
                #expect(texts.contains { Checkout.words($0).contains(name[...]) }, "\(place.1) has no \(name)")
            }
        }
    }

    @Test("the suites and tests that show a promise")
    func tests() throws {
        let checkout = try Checkout()
        let tests = try checkout.files.filter { $0.hasPrefix("Tests/") && $0.hasSuffix(".swift") }.map {
            TestFile($0, try checkout.text($0))
        }
        let rows = try checkout.text("docs/invariants.md").split(separator: "\n").map { $0.split(separator: "|") }
        let shown = rows.filter { $0.count == 3 && !$0[2].contains("---") && !$0[2].contains("shown by") }.map { $0[2] }
        #expect(shown.count > 100)
        for cell in shown {
            var suite: [TestFile] = []
            for token in cell.matches(of: /"([^"]+)"|`([^`]+)`/) {
                if let title = token.1 {
                    #expect(suite.contains { $0.hasTest(String(title)) }, "no test \(title):\(cell)")
                } else if let name = token.2 {
                    suite = checkout.testFiles(String(name), among: tests)
                    #expect(!suite.isEmpty, "no suite \(name):\(cell)")
                }
            }
        }
    }

    @Test("who imports whom")
    func imports() throws {
        let checkout = try Checkout()
        let rows = try checkout.text("docs/architecture.md").matches(of: /\n\| `([\w-]+)` \| ([^|]*)\|/)
        let said = Dictionary(uniqueKeysWithValues: rows.map { (String($0.1), Set(Checkout.spans(String($0.2)))) })
        let targets = Set(
            checkout.files.filter { $0.hasPrefix("Sources/") && $0.hasSuffix(".swift") }.map {
                String($0.split(separator: "/")[1])
            })
        #expect(Set(said.keys) == targets.union(["archive-bench"]))
        let ours = targets.union(checkout.children(of: "Sources/CShims"))
        for (target, imports) in said {
            let folder = target == "archive-bench" ? "benchmarks/archive-bench/" : "Sources/\(target)/"
            var found: Set<String> = []
            for file in checkout.files where file.hasPrefix(folder) && file.hasSuffix(".swift") {
                found.formUnion(try checkout.text(file).matches(of: /(?:^|\n)import (\w+)/).map { String($0.1) })
            }
            #expect(found.intersection(ours) == imports, "\(target)")
        }
    }

    @Test("where memory is allocated by hand, and who holds what is C's")
    func pointers() throws {
        let checkout = try Checkout()
        let all = try checkout.text("docs/architecture.md")
        let start = try #require(all.range(of: "## Unsafe pointers"))
        let end = try #require(all.range(of: "\n## ", range: start.upperBound..<all.endIndex))
        let section = String(all[start.upperBound..<end.lowerBound])
        let named = Checkout.spans(section).filter { $0.hasSuffix(".swift") || $0.hasSuffix("/") }
        let allocation = /\.allocate\(|withUnsafeTemporaryAllocation\(/
        for file in checkout.files where file.hasPrefix("Sources/") && file.hasSuffix(".swift") {
            let text = try checkout.text(file)
            guard text.contains(allocation) || text.contains(/\b(?:OpaquePointer|Unmanaged)\b/) else { continue }
            #expect(
                named.contains { $0.hasSuffix("/") ? "/\(file)".contains("/\($0)") : file.hasSuffix("/\($0)") },
                "docs/architecture.md does not name \(file)")
        }
        let table = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
        for span in table.flatMap({ Checkout.spans(String($0.split(separator: "|")[0])) }) {
            let texts = try checkout.named(span).map(checkout.text)
            #expect(texts.contains { $0.contains(allocation) }, "\(span) allocates nothing")
        }
    }
}

/// A file of tests: its suites, and the titles and functions of its tests.
private struct TestFile {
    let path: String
    let types: Set<String>
    private let tests: [String]

    init(_ path: String, _ text: String) {
        self.path = path
        let stem = path.split(separator: "/").last?.dropLast(".swift".count) ?? ""
        types = Set(text.matches(of: /(?:struct|class|enum|extension) (\w+)/).map { String($0.1) } + [String(stem)])
        tests =
            text.matches(of: /@(?:Test|Suite)\(\s*"((?:[^"\\]|\\.)*)"/).map {
                String($0.1).replacing("\\\"", with: "\"")
            }
            + text.matches(of: /func (\w+)\(/).map { String($0.1) }
    }

    /// - Parameter title: begins as the test's does; `…` stands for anything.
    func hasTest(_ title: String) -> Bool {
        let parts = title.split(separator: "…", omittingEmptySubsequences: false)
        return tests.contains { test in
            guard test.hasPrefix(parts[0]) else { return false }
            var rest = test[...]
            for part in parts.map({ $0.trimmingCharacters(in: .whitespaces) }) where !part.isEmpty {
                guard let place = rest.range(of: part) else { return false }
                rest = rest[place.upperBound...]
            }
            return true
        }
    }

    func hasFunction(_ name: String) -> Bool { tests.contains(name) }
}

/// The files that documents speak of, by their paths in the repository.
private struct Checkout {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    let files: [String]
    private let folders: Set<String>

    init() throws {
        var found: [String] = []
        for top in ["Sources", "Tests", "benchmarks", "docker", "docs", "scripts"] {
            let path = Self.root.appendingPathComponent(top).path
            found += try FileManager.default.subpathsOfDirectory(atPath: path).map { "\(top)/\($0)" } + [top]
        }
        found.append("Package.swift")
        folders = Set(found.map { String($0.split(separator: "/").dropLast().joined(separator: "/")) })
        files = found.filter { [folders] in !folders.contains($0) }
    }

    func text(_ file: String) throws -> String {
        try String(contentsOf: Self.root.appendingPathComponent(file), encoding: .utf8)
    }

    /// Those whose paths end so; a folder's is written with a slash at its end or without.
    func named(_ path: String) -> [String] {
        let end = "/" + (path.hasSuffix("/") ? String(path.dropLast()) : path)
        return (files + folders).filter { "/\($0)".hasSuffix(end) }
    }

    func children(of folder: String) -> [String] {
        folders.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }
    }

    /// - Parameter name: of a suite or a test's function, with its folder before it where that helps; or of a folder of tests.
    func testFiles(_ name: String, among tests: [TestFile]) -> [TestFile] {
        let parts = name.split(separator: "/")
        let type = String(parts[parts.count - 1].prefix { $0 != "." })
        let folder = parts.count > 1 || folders.contains("Tests/\(type)") ? "Tests/\(parts[0])/" : "Tests/"
        let all = tests.filter { $0.path.hasPrefix(folder) }
        if folder == "Tests/\(type)/" { return all }
        return all.filter { $0.types.contains(type) || $0.hasFunction(type) }
    }

    static func words(_ text: String) -> Set<Substring> {
        Set(text.split { !$0.isLetter && !$0.isNumber && $0 != "_" })
    }

    /// What stands between backquotes.
    static func spans(_ text: String) -> [String] { text.matches(of: /`([^`\n]+)`/).map { String($0.1) } }
}
