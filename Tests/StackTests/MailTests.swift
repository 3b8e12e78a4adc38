// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// Mails of a real stack, to a real SMTP server that decodes what it got.
@Suite(.serialized, .aheadBesideThePool) struct MailTests {
    @Test func whoAskedIsToldOfSuccessAndTheStandingAddressOfFailure() throws {
        let server = try MailServer()
        let stack = try TestStack(
            "mail",
            settings: [
                "SMTP_URL=\(server.url)", "SMTP_FROM=backup@example.com",
                "BACKUP_EMAIL=admin@example.com",
            ])
        let accepted = try Curl.post("\(stack.backupURL)/backups", "{\"email\": \"asker@example.com\"}")
        let task = try accepted.string("task_id")
        let name = try #require(try stack.finished(task)["backup_name"] as? String)
        let success = try server.message(to: "asker@example.com")
        #expect(success.subject?.unicodeScalars.contains { $0.value > 0x4e00 } == true, "\(success)")
        #expect(success.body?.contains(name) == true)
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
        #expect(failure.body?.contains("ARTIFACTS_DIR") == true, "it says what to do: \(failure)")
    }
}
