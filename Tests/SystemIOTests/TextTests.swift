// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SystemIO
import Testing
import Wording

@Suite("What people and programs read")
struct TextTests {
    @Test("a stamp in a name gives back the same stamp")
    func stamps() throws {
        for epoch in stride(from: Int64(0), to: 4_000_000_000, by: 86_461 * 97) {
            let time = LocalTime(epoch: epoch)
            #expect(LocalTime(stamp: time.stamp)?.stamp == time.stamp)
        }
        let time = try #require(LocalTime(stamp: "20240730_020000"))
        #expect(time.iso == "2024-07-30T02:00:00")
        #expect(time.day == "2024-07-30")
        #expect(time.fields.weekday == 2)
        #expect(LocalTime(stamp: "20240229_235959") != nil)
    }

    @Test(
        "what is no moment is no stamp",
        arguments: [
            "", "20240730", "20240730-020000", "20240730_0200000", "20241330_020000", "20240231_000000",
            "20230229_000000",
            "20240431_000000", "20240732_000000", "20240700_000000", "20240730_240000", "20240730_026000",
            "20240730_020060", "2024073a_020000", "+0240730_020000", "２０240730_02",
        ])
    func badStamps(stamp: String) {
        #expect(LocalTime(stamp: stamp) == nil)
    }

    @Test("a name in a command that a person pastes is one word of it, whatever a client called its folder (bash)")
    func quotedWords() throws {
        let names = [
            "/art/plain", "", "/art/!0'; touch pwned; '", "$(id) `id` \"a\" \\ *", "line\nbreak 'and' \\n",
            "\u{1b}[2Ja",
            "\u{202e}gpj\u{2028}é中", "\u{7}7", "x'\u{301}; echo pwned; '\u{301}", "'\u{fe0f}\u{7}'\u{301}",
            "a\nb'; echo pwned; #",
        ]
        for name in names {
            let said = try ChildProcess("/bin/bash", ["-c", "printf %s \(name.shellQuoted)"], environment: [:]).run()
            #expect(said.succeeded && said.output == name, "\(name.shellQuoted)")
            // What dash makes of it may be another name, and is one word of no command.
            let dash = try ChildProcess("/bin/dash", ["-c", "printf '' \(name.shellQuoted)"], environment: [:]).run()
            #expect(dash.succeeded && dash.output.isEmpty && dash.errors.isEmpty, "\(name.shellQuoted): \(dash.errors)")
            #expect(!name.shellQuoted.unicodeScalars.contains { $0.properties.generalCategory == .control })
        }
        #expect("ml-tracking_7.tar.gz".shellWord == "ml-tracking_7.tar.gz" && "a b".shellWord == "'a b'")
        #expect("/a'b".shellQuoted == "'/a'\\''b'")
        // Beside the command it begins no line that reads like another one.
        #expect("z\nAs root run: \u{1b}[2Jx é".shown == "z\\x0aAs root run: \\x1b[2Jx é")
    }

    @Test("a secret shows stars wherever it is printed, and is compared whole")
    func secrets() {
        struct Settings { let password = Secret("hunter2") }
        let secret = Secret("hunter2")
        var dumped = ""
        dump(Settings(), to: &dumped)
        for text in [
            "\(secret)", String(reflecting: secret), "\(Settings())", "\([secret])", "\(Optional(secret) as Any)",
            dumped,
        ] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("******"))
        }
        #expect(secret.matches("hunter2"))
        for wrong in ["", "hunter", "hunter22", "hunter2hunter2", "Hunter2", "hunter2\0"] {
            #expect(!secret.matches(wrong))
        }
        #expect(!Secret("").matches("x"))
    }

    private func logged(_ format: Log.Format, _ body: (Log) -> Void) throws -> String {
        let scratch = try Scratch()
        let file = try OpenFile(scratch.path.appending("log"), .append(mode: 0o600))
        file.withDescriptor { body(Log(format: format, descriptor: $0)) }
        return try scratch.text("log")
    }

    private static let nasty = "a\nb\r\"q\" \\ \u{1b}[31m\u{0}\u{7f}\u{9b}\u{2028}模型\t"

    @Test("a JSON event is one line of valid JSON whatever is in it")
    func jsonLog() throws {
        let text = try logged(.json) {
            $0.error("backup failed", ["path": Self.nasty, "bytes": 7, "key": Secret("hunter2")])
        }
        #expect(text.hasSuffix("}\n"))
        #expect(text.unicodeScalars.filter { $0 == "\n" || $0.value == 0x2028 }.count == 1)
        let fields = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        #expect(fields["path"] == Self.nasty)
        #expect(fields["event"] == "backup failed")
        #expect(fields["level"] == "error")
        #expect(fields["bytes"] == "7")
        #expect(fields["key"] == "******")
    }

    @Test("a text event is one line too, and nothing in it steers the terminal")
    func textLog() throws {
        let text = try logged(.text) {
            $0.warning("event\nFAKE line", ["path": Self.nasty, "plain": "x", "empty": ""])
        }
        #expect(text.unicodeScalars.filter { $0 == "\n" }.count == 1)
        #expect(!text.unicodeScalars.contains { $0.value == 0x1b || $0.value == 0x9b || $0.value == 0x2028 })
        #expect(text.contains(" plain=x "))
        #expect(text.contains("empty=\"\""))
        #expect(text.contains("模型"))
    }

    @Test("lines of many threads do not run into each other")
    func wholeLines() throws {
        let scratch = try Scratch()
        let file = try OpenFile(scratch.path.appending("log"), .append(mode: 0o600))
        try file.withDescriptor { descriptor in
            let log = Log(format: .json, descriptor: descriptor)
            let workers = try (0..<4).map { number in
                try WorkerThread("log") { for _ in 0..<200 { log.info("event", ["from": number]) } }
            }
            workers.forEach { $0.join() }
        }
        let lines = try scratch.text("log").split(separator: "\n")
        #expect(lines.count == 800)
        #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    }

    @Test("sizes as the guide shows them")
    func sizes() {
        let expected: [(UInt64, String)] = [
            (0, "0B"), (1023, "1023B"), (1024, "1.0KB"), (15_938_355, "15.2MB"), (1_048_524, "1023.9KB"),
            (1_048_575, "1.0MB"), (1_048_576, "1.0MB"), (1 << 40, "1.0TB"),
        ]
        for (bytes, text) in expected { #expect(HumanUnits.size(bytes) == text) }
    }

    @Test("disk sizes as df -h shows them")
    func diskSizes() {
        let expected: [(UInt64, String)] = [
            (0, "0"), (1, "1"), (1024, "1.0K"), (1025, "1.1K"), (45 << 30, "45G"), (100 << 30, "100G"),
            ((45 << 30) + 1, "46G"), (9 << 10, "9.0K"),
        ]
        for (bytes, text) in expected { #expect(HumanUnits.diskSize(bytes) == text) }
        // Rounding up may reach the next form.
        #expect(HumanUnits.diskSize(10_230) == "10K")
        #expect(HumanUnits.diskSize(1_048_575) == "1.0M")
    }

    @Test("durations")
    func durations() {
        #expect(HumanUnits.duration(seconds: 0.25) == "250ms")
        #expect(HumanUnits.duration(seconds: 59.4) == "59s")
        #expect(HumanUnits.duration(seconds: 135) == "2m 15s")
        #expect(HumanUnits.duration(seconds: 7260) == "2h 1m")
    }

    @Test("the room on a disk is what df says")
    func disk() throws {
        let space = try DiskSpace.at("/")
        #expect(space.total >= space.used + space.available)
        #expect((0...100).contains(space.usePercentage))
        #expect(throws: SystemError.self) { try DiskSpace.at("/absent") }
    }
}
