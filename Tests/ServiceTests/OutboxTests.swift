// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import Service

@Suite("Mails that no server took")
struct OutboxTests {
    private let event = NoticeEvent(
        taskID: "backup_20240730_143000_12345", kind: .backup,
        outcome: .failed(BilingualText(zh: "磁盘已满。", en: "The disk is full."), code: "disk-full"),
        startedAt: LocalTime(epoch: 1_722_304_800), finishedAt: LocalTime(epoch: 1_722_304_935), host: "server-01")

    private func mailer(_ url: String) throws -> Mailer {
        Mailer(MailSettings(url: url, from: try MailAddress("backup@company.com")))
    }

    /// As a command of cron: it ends though nobody took its mail.
    private func leaveOne(_ url: String, in outbox: Outbox) throws -> BilingualText {
        let policy = NoticePolicy(standing: try MailAddress("ops@company.com"), language: .english, retryDelays: [])
        let dispatcher = try NoticeDispatcher(mailer: mailer(url), policy: policy, outbox: outbox, log: .silent)
        let report = Monitor<BilingualText?>(nil)
        dispatcher.notify(event) { text in report.withLock { $0 = text } }
        #expect(dispatcher.flush(atMost: 60))
        dispatcher.stop()
        #expect(dispatcher.trouble != nil)
        return try #require(report.withLock { $0 })
    }

    @Test("outlive their process, are found by the next one, and sent once the server takes them, each once")
    func later() throws {
        let folder = try ScratchFolder()
        let outbox = Outbox(in: folder.path)
        let busy = try MailServer(["--refuse-first", "99"])
        let report = try leaveOne(busy.url, in: outbox)
        #expect(report.english.contains("kept for two days") && report.chinese.contains("两天"), "\(report)")

        let server = try MailServer()
        let delivery = NoticeDelivery(try mailer(server.url), [], outbox, .silent)
        #expect(delivery.trouble?.english.contains("451 4.3.2") == true, "another process says why")
        let now = LocalTime.now().epoch
        delivery.emptyOutbox(now: now + 60)
        #expect(try server.entries("message").isEmpty, "asked too often, a server asks less of us")
        delivery.emptyOutbox(now: now + 660)
        delivery.emptyOutbox(now: now + 1400)
        let mails = try server.entries("message")
        #expect(mails.map(\.recipients) == [["ops@company.com"]])
        #expect(mails.first?.subject == "[MLflow backup] Backup failed (server-01)")
        #expect(try outbox.waiting().isEmpty && delivery.trouble == nil)
    }

    @Test(
        "one that waits for its next try when its process ends is kept, too; an address that a request named and nobody has is not"
    )
    func abandoned() throws {
        let folder = try ScratchFolder()
        let outbox = Outbox(in: folder.path)
        let busy = try MailServer(["--refuse-first", "99"])
        let policy = NoticePolicy(standing: try MailAddress("ops@company.com"), language: .english, retryDelays: [3600])
        let dispatcher = try NoticeDispatcher(mailer: mailer(busy.url), policy: policy, outbox: outbox, log: .silent)
        dispatcher.notify(event) { _ in }
        #expect(!dispatcher.flush(atMost: 1))
        dispatcher.stop()
        #expect(try outbox.waiting().map(\.to) == ["ops@company.com"])

        let other = Outbox(in: try ScratchFolder().path)
        let refusing = try MailServer(["--refuse-always"])
        let second = try NoticeDispatcher(
            mailer: mailer(refusing.url), policy: NoticePolicy(standing: nil), outbox: other, log: .silent)
        second.notify(event, requested: try MailAddress("typo@company.com")) { _ in }
        #expect(second.flush(atMost: 30))
        #expect(try other.waiting().isEmpty && second.trouble == nil)
        second.stop()
    }

    @Test("a login that was refused is tried once an hour, for two days, and stays to be seen until one is taken")
    func refused() throws {
        let folder = try ScratchFolder()
        let outbox = Outbox(in: folder.path)
        let server = try MailServer(["--refuse-always"])
        _ = try leaveOne(server.url, in: outbox)
        let delivery = NoticeDelivery(try mailer(server.url), [], outbox, .silent)
        let now = LocalTime.now().epoch
        for minute in stride(from: Int64(0), to: 125, by: 5) { delivery.emptyOutbox(now: now + minute * 60) }
        #expect(try server.entries("rcpt").count == 3, "once by the command, twice in two hours")
        #expect(delivery.trouble?.english.contains("550 5.1.1") == true)
        delivery.emptyOutbox(now: now + 49 * 3600)
        #expect(try outbox.waiting().isEmpty, "what it says is of no use any more")
        #expect(delivery.trouble != nil)
    }

    @Test(
        "while a server takes none, one is tried at a time: who stops, and who is to be told of something new, waits for no other"
    )
    func oneAtATime() throws {
        let folder = try ScratchFolder()
        let outbox = Outbox(in: folder.path)
        let busy = try MailServer(["--refuse-first", "99"])
        for _ in 0..<3 { _ = try leaveOne(busy.url, in: outbox) }
        let delivery = NoticeDelivery(try mailer(busy.url), [], outbox, .silent)
        let now = LocalTime.now().epoch
        delivery.emptyOutbox(now: now + 660)
        #expect(try busy.entries("rcpt").count == 4)
        delivery.emptyOutbox(now: now + 720)
        #expect(try busy.entries("rcpt").count == 5)
        let server = try MailServer()
        let later = NoticeDelivery(try mailer(server.url), [], outbox, .silent)
        later.emptyOutbox(now: now + 1400, isStopped: { true })
        #expect(try server.entries("message").isEmpty)
        later.emptyOutbox(now: now + 1400)
        #expect(try server.entries("message").count == 3)
    }

    @Test("where the state folder is away nothing is made in its place, and what is no mail stops none")
    func away() throws {
        let folder = try ScratchFolder()
        let busy = try MailServer(["--refuse-first", "99"])
        let report = try leaveOne(busy.url, in: Outbox(in: folder.path.appending("away")))
        #expect(!report.english.contains("kept"))
        #expect(try FileStatus.ifPresent(folder.path.appending("away")) == nil)

        let outbox = Outbox(in: folder.path)
        _ = try leaveOne(busy.url, in: outbox)
        _ = try folder.write("outbox/0-0.json", "{")
        let server = try MailServer()
        NoticeDelivery(try mailer(server.url), [], outbox, .silent).emptyOutbox(now: LocalTime.now().epoch + 660)
        #expect(try server.entries("message").count == 1)
    }
}
