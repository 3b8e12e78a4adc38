// SPDX-License-Identifier: Apache-2.0

import Glibc
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
        let delivery = NoticeDelivery(try mailer(server.url), [], outbox, empties: true, .silent)
        #expect(delivery.trouble?.english.contains("451 4.3.2") == true, "another process says why")
        let now = Moment.now()
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
        "where no disk takes them a service keeps them in memory, goes on trying, and writes them down when there is room"
    )
    func inMemory() throws {
        let folder = try ScratchFolder()
        let state = folder.path.appending("away")
        let outbox = Outbox(in: state)
        let busy = try MailServer(["--refuse-first", "99"])
        let policy = NoticePolicy(standing: try MailAddress("ops@company.com"), language: .english, retryDelays: [])
        let service = try NoticeDispatcher(
            mailer: mailer(busy.url), policy: policy, outbox: outbox, empties: true, log: .silent)
        service.notify(event) { _ in }
        #expect(service.flush(atMost: 60))
        service.stop()
        #expect(try outbox.waiting().map(\.taskID) == [event.taskID])
        let server = try MailServer()
        let delivery = NoticeDelivery(try mailer(server.url), [], outbox, empties: true, .silent)
        let now = Moment.now()
        delivery.emptyOutbox(now: now + 60)
        #expect(try server.entries("message").isEmpty)
        delivery.emptyOutbox(now: now + 660)
        #expect(try server.entries("message").map(\.recipients) == [["ops@company.com"]])
        #expect(try outbox.waiting().isEmpty)

        let second = try NoticeDispatcher(
            mailer: mailer(busy.url), policy: policy, outbox: outbox, empties: true, log: .silent)
        second.notify(event) { _ in }
        #expect(second.flush(atMost: 60))
        second.stop()
        try Directory.make(state)
        delivery.emptyOutbox(now: now + 60)
        #expect(try Outbox(in: state).waiting().count == 1, "another process finds it")
    }

    @Test(
        "of a server that is configured no more nothing is told, and its mails go when their time is over, with a line")
    func switchedOff() throws {
        let folder = try ScratchFolder()
        let outbox = Outbox(in: folder.path)
        _ = try leaveOne(MailServer(["--refuse-first", "99"]).url, in: outbox)
        let lines = try folder.write("log", "")
        let descriptor = open(lines.string, O_WRONLY | O_APPEND)
        defer { close(descriptor) }
        let delivery = NoticeDelivery(
            nil, [], outbox, empties: true, Log(format: .text, syslog: false, descriptor: descriptor))
        #expect(delivery.trouble == nil)
        let now = Moment.now()
        delivery.emptyOutbox(now: now + 4000)
        #expect(try outbox.waiting().count == 1)
        delivery.emptyOutbox(now: now + 3 * 86_400)
        #expect(try outbox.waiting().isEmpty)
        let text = String(decoding: try OpenFile(lines, .read).readAll(limit: 1 << 16), as: UTF8.self)
        #expect(text.contains("given up") && text.contains(event.taskID), "\(text)")
    }

    @Test("a schedule that fails each minute is told of once an hour; who asked for a mail gets his")
    func eachMinute() throws {
        let server = try MailServer()
        let policy = NoticePolicy(standing: try MailAddress("ops@company.com"), language: .english, retryDelays: [])
        let dispatcher = try NoticeDispatcher(mailer: mailer(server.url), policy: policy, log: .silent)
        var scheduled = event
        scheduled.isScheduled = true
        let reports = Monitor<[String]>([])
        for _ in 0..<3 { dispatcher.notify(scheduled) { text in reports.withLock { $0.append(text.english) } } }
        scheduled.outcome = .failed(BilingualText(zh: "别的", en: "another"), code: "database-unreachable")
        dispatcher.notify(scheduled) { _ in }
        dispatcher.notify(event) { _ in }
        dispatcher.notify(event, requested: try MailAddress("me@company.com")) { _ in }
        #expect(dispatcher.flush(atMost: 60))
        dispatcher.stop()
        #expect(try server.entries("message").count == 1 + 1 + 1 + 2)
        #expect(reports.withLock { $0.filter { $0.contains("less than an hour ago") }.count } == 2)
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
        let delivery = NoticeDelivery(try mailer(server.url), [], outbox, empties: true, .silent)
        let now = Moment.now()
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
        let delivery = NoticeDelivery(try mailer(busy.url), [], outbox, empties: true, .silent)
        let now = Moment.now()
        delivery.emptyOutbox(now: now + 660)
        #expect(try busy.entries("rcpt").count == 4)
        delivery.emptyOutbox(now: now + 720)
        #expect(try busy.entries("rcpt").count == 5)
        let server = try MailServer()
        let later = NoticeDelivery(try mailer(server.url), [], outbox, empties: true, .silent)
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
        NoticeDelivery(try mailer(server.url), [], outbox, empties: true, .silent).emptyOutbox(
            now: .now() + 660)
        #expect(try server.entries("message").count == 1)
    }

    @Test("a clock that is set forward by days makes none old: it is tried on, and sent")
    func setForward() throws {
        let folder = try ScratchFolder()
        let outbox = Outbox(in: folder.path)
        let busy = try MailServer(["--refuse-first", "99"])
        _ = try leaveOne(busy.url, in: outbox)
        let later = Moment.now() + 660
        let ahead = Moment(epoch: later.epoch + 3 * 86_400, boot: later.boot)
        NoticeDelivery(try mailer(busy.url), [], outbox, empties: true, .silent).emptyOutbox(now: ahead)
        #expect(try outbox.waiting().count == 1)
        let server = try MailServer()
        NoticeDelivery(try mailer(server.url), [], outbox, empties: true, .silent).emptyOutbox(now: ahead + 660)
        #expect(try server.entries("message").count == 1)
    }

    @Test("after another start of the machine the wall clock alone says how old one is")
    func anotherStart() throws {
        let folder = try ScratchFolder()
        let outbox = Outbox(in: folder.path)
        let busy = try MailServer(["--refuse-first", "99"])
        _ = try leaveOne(busy.url, in: outbox)
        let started = BootClock(id: "another start", seconds: 60)
        let delivery = NoticeDelivery(try mailer(busy.url), [], outbox, empties: true, .silent)
        let now = LocalTime.now().epoch
        delivery.emptyOutbox(now: Moment(epoch: now + 86_400, boot: started))
        #expect(try outbox.waiting().count == 1)
        delivery.emptyOutbox(now: Moment(epoch: now + 3 * 86_400, boot: started))
        #expect(try outbox.waiting().isEmpty)
    }
}

extension Moment {
    /// So many seconds later, by both clocks.
    fileprivate static func + (moment: Moment, seconds: Int64) -> Moment {
        Moment(
            epoch: moment.epoch + seconds,
            boot: moment.boot.map { BootClock(id: $0.id, seconds: $0.seconds + seconds) })
    }
}
