// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import SystemIO
import TestSupport
import Testing

@testable import Service

@Suite("What processes that end at once tell, each time one fails", .serialized, .aheadBesideThePool)
struct CronMailTests {
    private let server: MailServer
    private let monitor: PythonPeer
    private let live: ServiceFixture

    init() throws {
        server = try MailServer()
        monitor = try PythonPeer("web_server.py")
        live = try ServiceFixture(
            "cron_mails",
            settings: [
                "BACKUP_SCHEDULE": "* * * * *", "BACKUP_EMAIL": "ops@company.com", "SMTP_URL": server.url,
                "SMTP_FROM": "backup@company.com", "BACKUP_PING_URL": "http://127.0.0.1:\(monitor.port)/ping/uuid",
            ])
    }

    /// What is due is so once; without its record it is due again.
    private func cron(_ options: [String] = []) throws -> ChildProcess.Outcome {
        try Shell.sh("rm -f '\(live.service.operations.folder.state)'/schedule*.json")
        return try live.command(["backup", "--scheduled", "--quiet"] + options)
    }

    private func mails() throws -> Int { try server.entries("message").count }

    private func takeFolderAway() throws {
        try Directory.rename(live.service.operations.folder.path, to: live.root.path.appending("elsewhere"))
    }

    @Test("cron's line that fails each minute is told of once an hour a code, and a person's command each time")
    func onceAnHour() throws {
        let state = live.service.operations.folder.state
        try Shell.sh("touch -d '3 days ago' '\(state)/first-use'")
        for _ in 0..<3 { #expect(try cron(["--postgres-port", "1"]).exit == .code(1)) }
        #expect(try mails() == 1)
        #expect(try live.command(["backup", "--quiet", "--postgres-port", "1"]).exit == .code(1))
        #expect(try mails() == 2)
        _ = try live.backup()
        try takeFolderAway()
        for _ in 0..<3 { #expect(try cron().exit == .code(1)) }
        #expect(try mails() == 3, "another code, and no state folder to write it down in")
    }

    @Test("a service whose disk is not mounted tells by mail and ping before it ends, and not at each start anew")
    func serve() throws {
        _ = try live.backup()
        try takeFolderAway()
        for _ in 0..<3 { #expect(try live.command(["serve", "--backup-api-port", "31099"]).exit == .code(1)) }
        #expect(try mails() == 1)
        let mail = try server.message(to: "ops@company.com")
        #expect(mail.subject?.contains("service") == true, "\(mail)")
        let pings = try monitor.log().map { String(decoding: $0, as: UTF8.self) }
        #expect(pings.filter { $0.contains("/ping/uuid/fail") }.count == 1, "\(pings)")
        #expect(try FileStatus.ifPresent(live.service.operations.folder.path) == nil)
        // One that came up was well meanwhile: what comes then is told of.
        try Directory.rename(live.root.path.appending("elsewhere"), to: live.service.operations.folder.path)
        let well = try live.start(["serve", "--backup-api-port", "31099"])
        usleep(3_000_000)
        kill(well.processIdentifier, SIGTERM)
        #expect(well.exitStatus() == 0)
        try takeFolderAway()
        #expect(try live.command(["serve", "--backup-api-port", "31099"]).exit == .code(1))
        #expect(try mails() == 2)
    }
}
