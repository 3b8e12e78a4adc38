// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@Suite("What commands write", .besideThePool)
struct CommandOutputTests {
    private func json(_ text: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])
    }

    private func code(_ row: Any?) -> String? {
        ((row as? [String: Any])?["error"] as? [String: Any])?["code"] as? String
    }

    @Test("S14: an answer that cannot be written is a failure, one that nobody reads to its end is none")
    func fullOutput() throws {
        let live = try ServiceFixture("output_full")
        for arguments in [["list"], ["list", "--json"], ["schedule"], ["--version"], ["doctor", "--json"]] {
            let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
            let process = try live.start(arguments, output: full)
            let errors = (process.standardError as? Pipe)?.fileHandleForReading.readDataToEndOfFile() ?? Data()
            #expect(process.exitStatus() == 1, "\(arguments)")
            #expect(String(decoding: errors, as: UTF8.self).contains("standard output"), "\(arguments)")
        }
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        #expect(try live.start(["list"], output: pipe).exitStatus() == 0)
    }

    @Test("S15: names from outside move no cursor and turn no line; --json has them as they are")
    func hiddenCharacters() throws {
        let live = try ServiceFixture("output_names")
        let name = "a\u{9b}31m\u{1b}[2J\u{202e}gpj.exe\u{2028}\nb 中文"
        try live.root.write("artifacts/1/\(name)", [7])
        let made = try live.backup()
        let shown = try live.command(["list", made]).output
        #expect(!shown.unicodeScalars.contains { [0x9b, 0x1b, 0x202e, 0x2028].contains($0.value) }, "\(shown)")
        #expect(shown.contains("a\\u009B31m\\u001B[2J\\u202Egpj.exe\\u2028\\u000Ab 中文"), "\(shown)")
        let rows = try live.command(["list", made, "--json"]).output.split(separator: "\n").map { try json(String($0)) }
        let paths = rows.compactMap { ($0 as? [String: Any])?["path"] as? String }
        #expect(paths.contains("artifacts/1/\(name)"), "\(paths)")
        let error = try live.command(["verify", "\u{202e}x\u{9b}"]).errors
        #expect(!error.unicodeScalars.contains { [0x9b, 0x202e].contains($0.value) } && error.contains("\\u202E"))
    }

    @Test("S13: --json is one document: of several verifications, of a scrub, and of a failure with its code")
    func oneDocument() throws {
        let live = try ServiceFixture("output_json")
        let first = try live.backup()
        try Connection(live.database).execute("insert into runs values ('run2', 1790000000002, 0)")
        let second = try live.backup()
        let listed = try #require(try json(live.command(["list", "--json"]).output) as? NSArray)
        #expect(listed == (try json(live.send("GET", "/backups").text) as? NSArray), "\(listed)")
        let one = try json(live.command(["verify", first, "--json"]).output) as? [String: Any]
        #expect(one?["backup"] as? String == first)
        for command in [["verify", "--all"], ["scrub", "--rate", "0"], ["verify", first, second]] {
            let list = try #require(try json(live.command(command + ["--json"]).output) as? [[String: Any]])
            #expect(Set(list.compactMap { $0["backup"] as? String }) == [first, second], "\(command)")
        }
        try Shell.invertByte(of: live.root.path.appending("backups/\(second)"), at: 200)
        for command in [["scrub", "--rate", "0"], ["verify", "--all"]] {
            let outcome = try live.command(command + ["--json"])
            #expect(outcome.exit == .code(6), "\(outcome)")
            let list = try #require(try json(outcome.output) as? [[String: Any]])
            let bad = list.filter { $0["backup"] as? String == second }
            #expect(bad.count == 1 && code(bad.first)?.isEmpty == false, "\(outcome.output)")
        }
        for (command, expected) in [
            (["verify", "mlflow_backup_none"], "no-such-backup"), (["restore", "none"], "no-such-backup"),
        ] {
            let outcome = try live.command(command + ["--json"])
            #expect(outcome.exit == .code(3))
            #expect(code(try json(outcome.output)) == expected, "\(outcome.output)")
        }
        try Connection(live.database).execute("drop table runs, experiments, alembic_version")
        let doctor = try live.command(["doctor", "--json"])
        #expect((try json(doctor.output) as? [String: Any])?["ready"] as? Bool == false, "\(doctor.output)")
    }
}
