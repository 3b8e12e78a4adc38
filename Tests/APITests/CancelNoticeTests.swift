// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import SystemIO
import TestSupport
import Testing

@testable import Service

@Suite("Who is told of a task that a person cancels", .serialized, .aheadBesideThePool)
struct CancelNoticeTests {
    private let server: MailServer
    private let live: ServiceFixture

    init() throws {
        server = try MailServer()
        live = try ServiceFixture(
            "cancel_notice",
            settings: [
                "BACKUP_EMAIL": "ops@company.com", "SMTP_URL": server.url, "SMTP_FROM": "backup@company.com",
            ])
    }

    private func ask() throws -> String {
        try live.send("POST", "/backups", #"{"email": "me@company.com"}"#).string("task_id")
    }

    private func cancel(_ task: String) throws {
        #expect(try live.send("POST", "/tasks/\(task)/cancel").status == 202)
    }

    private func lastBackup() throws -> Bool? {
        let checks = try live.send("GET", "/health").object()["checks"] as? [String: Bool]
        return checks?["last_backup"]
    }

    /// Whoever asked for a mail is told at once, as of no failure, and nobody else.
    private func expectMails(_ count: Int) throws {
        try Patience.wait("the mails") { try server.entries("message").count >= count }
        usleep(300_000)
        let mails = try server.entries("message")
        #expect(mails.map(\.recipients) == Array(repeating: ["me@company.com"], count: count), "\(mails)")
        #expect(mails.allSatisfy { $0.subject?.contains("Backup cancelled") == true }, "\(mails.map(\.subject))")
    }

    @Test("while it waited: who asked for a mail, at once; the last backup has not failed by it")
    func waiting() throws {
        _ = try live.backup()
        try live.holdingTheFolder {
            let first = try live.send("POST", "/backups").string("task_id")
            _ = try live.task(first, reaches: ["running"])
            let second = try ask()
            try cancel(second)
            try expectMails(1)
            #expect(try lastBackup() == true)
            let record = try live.send("GET", "/tasks/\(second)").object()
            #expect(record["status"] as? String == "failed", "\(record)")
        }
    }

    @Test("while it ran: the same; and what failed before is not well by it")
    func running() throws {
        try live.holdingTheFolder {
            let task = try ask()
            _ = try live.task(task, reaches: ["running"])
            try cancel(task)
            _ = try live.task(task)
        }
        try expectMails(1)
        #expect(try lastBackup() == true)
        try live.recording { store in
            var failed = try store.begin(live.service.backupRequest(), origin: .cli, email: nil)
            failed.status = .failed
            failed.failure = .init(code: "disk-full")
            let ended = failed
            try store.update(ended.id) { $0 = ended }
        }
        #expect(try lastBackup() == false)
        try live.holdingTheFolder {
            let task = try live.send("POST", "/backups").string("task_id")
            _ = try live.task(task, reaches: ["running"])
            try cancel(task)
            _ = try live.task(task)
        }
        #expect(try lastBackup() == false)
    }
}
