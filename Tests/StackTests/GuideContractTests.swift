// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// The curl lines of the guide, copied out of the guide itself and run by a shell, in its order. The ports are free
/// ones: those of the guide belong to ComposeTests, which may run at the same time.
@Suite(.serialized, .aheadBesideThePool) struct GuideContractTests {
    /// The name that the guide's examples use.
    static let sample = "mlflow_backup_20240730_020000.tar.gz"

    @Test func everyCurlLineOfTheGuideWorksAsWrittenAndAnswersWithTheMembersOfItsSample() throws {
        let stack = try TestStack("guide")
        try stack.logDemo()
        // The guide's sample name is a real backup here: the archive is dropped into the folder by hand.
        let made = try stack.backup()
        try Shell.run("/bin/cp", [stack.backups.appending(made).string, stack.backups.appending(Self.sample).string])

        let calls = try GuideCall.all()
        #expect(calls.count == 15, "the guide has changed: \(calls.map(\.line))")
        #expect(calls.filter { $0.sample != nil }.count == 9, "the samples are not found")
        let accepted = try #require(calls.first { $0.line.contains("-X POST") && $0.sample != nil }?.sample)
        let scratch = try TemporaryFolder("guide")
        var lastTask = ""
        for call in calls {
            let line = call.line
            let command =
                line
                .replacingOccurrences(of: "{task_id}", with: lastTask)
                .replacingOccurrences(of: "localhost:3112", with: "localhost:\(stack.backupPort)")
            let output = try Shell.run(
                "/bin/bash", ["-euo", "pipefail", "-c", "cd \(scratch.path) && \(command)"])
            guard !line.contains("/download") else {
                let fetched = try OpenFile(scratch.path.appending("backup_20240730.tar.gz"), .read).readAll()
                let stored = try OpenFile(stack.backups.appending(Self.sample), .read).readAll()
                #expect(fetched == stored, "the download is not the file")
                continue
            }
            let json = try #require(
                try? JSONSerialization.jsonObject(with: Data(output.utf8)), "\(line) answered: \(output)")
            // Of a restore the guide shows no answer: it is begun as a backup is.
            let isRestore = line.contains("/restore ")
            if let sample = call.sample ?? (isRestore ? accepted : nil) {
                let faults = GuideCall.faults(of: json, against: sample)
                #expect(faults.isEmpty, "\(line): \(faults) in \(output)")
            } else {
                // Deleting and clearing up: what was done is said, and nothing is refused.
                let said = (json as? [String: Any])?["message"] as? String
                #expect(said?.isEmpty == false, "\(line) was refused: \(output)")
            }
            if line.contains("-X POST"), let task = (json as? [String: Any])?["task_id"] as? String {
                lastTask = task
                let ended = try stack.finished(task)
                #expect(ended["status"] as? String == "completed", "\(line): \(ended)")
            }
        }
        let names = try Curl.get("\(stack.backupURL)/backups").array().compactMap { $0["name"] as? String }
        #expect(names.contains(made) && !names.contains(Self.sample), "the guide deletes its sample alone: \(names)")
    }

    @Test func whatDiffersFromASampleIsFound() throws {
        let health = try #require(try GuideCall.all().last?.sample)
        func faults(_ text: String) throws -> [String] {
            GuideCall.faults(of: try JSONSerialization.jsonObject(with: Data(text.utf8)), against: health)
        }
        let checks = #""backup_directory": true, "backup_script": true, "restore_script": true"#
        let right =
            #"{"status": "unhealthy", "checks": {\#(checks), "docker": false}, "timestamp": "2026-01-02T03:04:05"}"#
        #expect(try faults(right) == [])
        #expect(try faults(right.replacing("timestamp", with: "time")) == [".timestamp is missing"])
        #expect(try faults(right.replacing("T03", with: " 03")).count == 1)
        #expect(try faults(right.replacing("\"docker\": false", with: "\"docker\": 0")).count == 1)
        #expect(try faults(right.replacing(", \"docker\": false", with: "")) == [".checks.docker is missing"])
        #expect(try faults("{}").count == 3)
        #expect(try faults("[]").isEmpty, "a list of none is one of health's")
        #expect(try faults("[7]").count == 1)
        #expect(GuideCall.faults(of: [String: Any](), against: [health]).count == 1, "an object is no list")
        #expect(GuideCall.faults(of: [Any](), against: [health]).count == 1, "a sample's list has something in it")
    }

    /// It is the specification, which lies beside no checkout but the authors' own.
    @Test func theGuideInTheRepositoryIsTheOneThatWasGiven() throws {
        let digest = try Shell.run("/usr/bin/sha256sum", ["\(GuideCall.guide)"]).prefix(64)
        #expect(digest == "290daed2232165f156fa3b1e534a94c3fd5dd59d3d25414a5cbb8501b7ac27ac")
    }
}

/// A command of the guide that begins with `curl`.
struct GuideCall {
    static let guide = TestStack.repository.appending("docs/guide.zh.md")

    let line: String
    /// What the guide shows as its answer, decoded.
    let sample: Any?

    private var resource: Substring? { line.firstMatch(of: /localhost:3112(\/[a-z]+)/)?.1 }

    /// What it asks, and where.
    var target: (method: String, path: String)? {
        guard let path = line.firstMatch(of: /localhost:3112([^ "?\n]+)/)?.1 else { return nil }
        return (String(line.firstMatch(of: /-X ([A-Z]+)/)?.1 ?? "GET"), String(path))
    }

    /// In the guide's order. A sample is of the command before it, and of those of its block that ask for the same.
    static func all() throws -> [GuideCall] {
        let text = String(decoding: try OpenFile(guide, .read).readAll(), as: UTF8.self)
        let all = try text.matches(of: /(?s)```bash\n(.*?)```/).flatMap { try calls(in: $0.1) }
        return all.map { call in
            // Where the guide asks the same again, it shows no second answer.
            let same = all.first { $0.sample != nil && $0.question == call.question }
            return GuideCall(line: call.line, sample: call.sample ?? same?.sample)
        }
    }

    private var question: [String] { target.map { [$0.method, $0.path] } ?? [] }

    private static func calls(in block: Substring) throws -> [GuideCall] {
        // Continuation lines joined.
        let lines = block.replacing("\\\n", with: "").split(separator: "\n")
        let calls = lines.filter { $0.hasPrefix("curl ") }.map { GuideCall(line: "\($0)\n", sample: nil) }
        guard let last = calls.last, let start = lines.firstIndex(where: { $0 == "{" || $0 == "[" }) else {
            return calls
        }
        let answer = lines[start...].joined(separator: "\n")
        let sample = try JSONSerialization.jsonObject(with: Data(answer.utf8))
        return calls.map { $0.resource == last.resource ? GuideCall(line: $0.line, sample: sample) : $0 }
    }

    /// What of a sample an answer lacks, or has of another kind; more members may be there. A list of what the sample shows one of
    /// may be empty, a list that the sample shows may not.
    static func faults(of answer: Any, against sample: Any, at place: String = "") -> [String] {
        switch (sample, answer) {
        case (let sample as [String: Any], let answer as [String: Any]):
            sample.sorted { $0.key < $1.key }.flatMap { name, wanted -> [String] in
                guard let given = answer[name] else { return ["\(place).\(name) is missing"] }
                return faults(of: given, against: wanted, at: "\(place).\(name)")
            }
        case (let sample as [Any], let answer as [Any]):
            answer.isEmpty
                ? ["\(place) is empty"] : answer.flatMap { faults(of: $0, against: sample[0], at: "\(place)[]") }
        case (is [String: Any], let answer as [Any]) where place.isEmpty:
            answer.flatMap { faults(of: $0, against: sample, at: "[]") }
        case (let sample as String, let answer as String):
            answer.wholeMatch(of: form(of: sample)) != nil ? [] : ["\(place) is \(answer), and not as \(sample)"]
        case (let sample as NSNumber, let answer as NSNumber):
            // `true` is none of the numbers.
            String(cString: sample.objCType) == String(cString: answer.objCType)
                || ![sample, answer].contains { String(cString: $0.objCType) == "c" }
                ? [] : ["\(place) is \(answer), and not as \(sample)"]
        default: ["\(place) is \(answer), and not as \(sample)"]
        }
    }

    /// Of times, sizes and percentages, which programs read; of other texts that they say something.
    private static func form(of sample: String) -> Regex<Substring> {
        let forms = [
            /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/, /\d+(?:\.\d)?[KMGT]?B/, /\d+(?:\.\d)?[KMGT]?/, /\d+%/,
            /(?:compressed|uncompressed)/, /(?:pending|running|completed|failed)/, /(?:healthy|unhealthy)/,
            /(?:backup|restore)_\d{8}_\d{6}_\w+/, /mlflow_backup_\d{8}_\d{6}(?:\.tar\.gz)?/,
        ]
        return forms.first { sample.wholeMatch(of: $0) != nil } ?? /(?s).+/
    }
}
