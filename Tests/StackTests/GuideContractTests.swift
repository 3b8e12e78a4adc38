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

    @Test func everyCurlLineOfTheGuideWorksAsWritten() throws {
        let stack = try TestStack("guide")
        try stack.logDemo()
        // The guide's sample name is a real backup here: the archive is dropped into the folder by hand.
        let made = try stack.backup()
        try Shell.run("/bin/cp", [stack.backups.appending(made).string, stack.backups.appending(Self.sample).string])

        let lines = try GuideCommands.curl()
        #expect(lines.count == 15, "the guide has changed: \(lines)")
        let scratch = try TemporaryFolder("guide")
        var lastTask = ""
        for line in lines {
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
            if let object = json as? [String: Any] {
                #expect(object["detail"] == nil, "\(line) was refused: \(output)")
                if let task = object["task_id"] as? String, object["result"] == nil, object["kind"] == nil {
                    lastTask = task
                    let ended = try stack.finished(task)
                    #expect(ended["status"] as? String == "completed", "\(line): \(ended)")
                }
            }
        }
        let names = try Curl.get("\(stack.backupURL)/backups").array().compactMap { $0["name"] as? String }
        #expect(!names.contains(Self.sample), "the guide deletes its sample")
    }

    @Test func theGuideInTheRepositoryIsTheOneThatWasGiven() throws {
        // Where the specification lies beside the checkout, ours must be that one; elsewhere ours is all there is.
        let given = TestStack.repository.parent.appending("shared/seed/guide.zh.md")
        guard try FileStatus.ifPresent(given) != nil else { return }
        #expect(try OpenFile(given, .read).readAll() == OpenFile(GuideCommands.guide, .read).readAll())
    }
}

enum GuideCommands {
    static let guide = TestStack.repository.appending("docs/guide.zh.md")

    /// The commands that begin with `curl`, continuation lines joined.
    static func curl() throws -> [String] {
        let text = String(decoding: try OpenFile(guide, .read).readAll(), as: UTF8.self)
        var commands: [String] = []
        var current: String?
        var isCode = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isCode = line.hasPrefix("```bash")
                continue
            }
            guard isCode else { continue }
            guard let begun = current ?? (line.hasPrefix("curl ") ? "" : nil) else { continue }
            let whole = begun + line + "\n"
            if line.hasSuffix("\\") {
                current = whole
            } else {
                commands.append(whole)
                current = nil
            }
        }
        return commands
    }
}
