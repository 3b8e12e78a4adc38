// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// Mails of a real stack, to a real SMTP server that decodes what it got.
@Suite(.serialized, .aheadBesideThePool) struct MailTests {
    @Test func whoAskedIsToldOfSuccessAndTheStandingAddressOfFailure() throws {
        let server = try MailCatcher()
        let stack = try TestStack(
            "mail",
            settings: [
                "SMTP_URL=smtp://127.0.0.1:\(server.port)", "SMTP_FROM=backup@example.com",
                "BACKUP_EMAIL=admin@example.com",
            ])
        let accepted = try Curl.post("\(stack.backupURL)/backups", "{\"email\": \"asker@example.com\"}")
        let task = try accepted.string("task_id")
        let name = try #require(try stack.finished(task)["backup_name"] as? String)
        let success = try server.message(to: "asker@example.com")
        #expect(success.subject.unicodeScalars.contains { $0.value > 0x4e00 }, "a Chinese subject: \(success.subject)")
        #expect(success.body.contains(name))
        var notice: String?
        for _ in 0..<50 where notice == nil {
            notice = try Curl.get("\(stack.backupURL)/tasks/\(task)").object()["notice"] as? String
            usleep(100_000)
        }
        #expect(notice?.contains("asker@example.com") == true)

        // A failure is always told to the standing address: here a backup from cron or a shell.
        try Directory.removeTree(stack.artifacts)
        #expect(try stack.command(["backup", "--quiet"]).exit == .code(1))
        let failure = try server.message(to: "admin@example.com")
        #expect(failure.body.contains("ARTIFACTS_DIR"), "it says what to do: \(failure.body)")
    }
}

/// `Tests/ServiceTests/smtp_server.py` on a port of its own.
private final class MailCatcher: Sendable {
    let port: Int
    private let folder: TemporaryFolder
    private let cancellation = Cancellation()
    private let thread: WorkerThread

    init() throws {
        folder = try TemporaryFolder("smtp")
        let script = TestStack.repository.appending("Tests/ServiceTests/smtp_server.py")
        let child = ChildProcess(
            try TestStack.python(), [script.string, folder.path.string],
            environment: ["PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"])
        thread = try WorkerThread("smtp") { [cancellation] in
            // Ended by its cancellation, which `run` reports as an error.
            _ = try? child.run(cancellation: cancellation)
        }
        let file = folder.path.appending("port")
        for _ in 0..<100 where try FileStatus.ifPresent(file) == nil { usleep(100_000) }
        let text = String(decoding: try OpenFile(file, .read).readAll(), as: UTF8.self)
        port = try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    deinit {
        cancellation.cancel()
        thread.join()
    }

    func message(to recipient: String) throws -> (subject: String, body: String) {
        for _ in 0..<200 {
            usleep(100_000)
            guard let file = try? OpenFile(folder.path.appending("log.jsonl"), .read) else { continue }
            for line in String(decoding: try file.readAll(), as: UTF8.self).split(separator: "\n") {
                guard let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                    (record["recipients"] as? [String])?.contains(recipient) == true
                else { continue }
                return (record["subject"] as? String ?? "", record["body"] as? String ?? "")
            }
        }
        throw NoMail(recipient: recipient)
    }

    struct NoMail: Error { let recipient: String }
}
