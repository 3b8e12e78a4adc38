// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Service

@Suite("Mails that are in memory when the service is stopped")
struct OutboxStopTests {
    private let event = NoticeEvent(
        taskID: "backup_20240730_143000_12345", kind: .backup,
        outcome: .failed(BilingualText(zh: "磁盘已满。", en: "The disk is full."), code: "disk-full"),
        startedAt: LocalTime(epoch: 1_722_304_800), finishedAt: LocalTime(epoch: 1_722_304_935), host: "server-01")

    /// A service whose mail no server takes, and no disk: its state folder is away.
    private func service(_ state: FilePath, log: Log) throws -> NoticeDispatcher {
        let busy = try MailServer(["--refuse-first", "99"])
        let mailer = Mailer(MailSettings(url: busy.url, from: try MailAddress("backup@company.com")))
        let policy = NoticePolicy(standing: try MailAddress("ops@company.com"), language: .english, retryDelays: [])
        let service = try NoticeDispatcher(
            mailer: mailer, policy: policy, outbox: Outbox(in: state), empties: true, log: log)
        service.notify(event) { _ in }
        #expect(service.flush(atMost: 60))
        return service
    }

    @Test("are written down where the disk takes them again, and the next service finds them")
    func written() throws {
        let folder = try ScratchFolder()
        let state = folder.path.appending("state")
        let service = try service(state, log: .silent)
        #expect(try Outbox(in: state).waiting().isEmpty)
        try Directory.make(state)
        service.stop()
        #expect(try Outbox(in: state).waiting().map(\.taskID) == [event.taskID])
    }

    @Test("are named in the log, one by one, where it does not")
    func lost() throws {
        let folder = try ScratchFolder()
        let lines = try folder.write("log", "")
        let descriptor = open(lines.string, O_WRONLY | O_APPEND)
        defer { close(descriptor) }
        let log = Log(format: .text, syslog: false, descriptor: descriptor)
        try service(folder.path.appending("away"), log: log).stop()
        let text = String(decoding: try OpenFile(lines, .read).readAll(limit: 1 << 16), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.contains("given up") }
        #expect(line?.contains(event.taskID) == true && line?.contains("ops@company.com") == true, "\(text)")
    }
}
