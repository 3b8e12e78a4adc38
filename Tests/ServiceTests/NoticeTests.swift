// SPDX-License-Identifier: Apache-2.0

import Service
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("Notices")
struct NoticeTests {
    private let failure = NoticeEvent(
        taskID: "backup_20240730_143000_12345", kind: .backup,
        outcome: .failed(
            BilingualText(zh: "磁盘已满：请释放空间后重试。", en: "The disk is full: free some room."), code: "disk-full"),
        startedAt: LocalTime(epoch: 1_722_304_800), finishedAt: LocalTime(epoch: 1_722_304_935), host: "server-01")

    private let success = NoticeEvent(
        taskID: "backup_20240730_143000_12345", kind: .backup, outcome: .succeeded,
        startedAt: LocalTime(epoch: 1_722_304_800), finishedAt: LocalTime(epoch: 1_722_304_935),
        backupName: "mlflow_backup_20240730_143000.tar.gz", sizeBytes: 15_938_355,
        warnings: [BilingualText(zh: "跳过 1 个文件", en: "1 file skipped")], host: "server-01")

    private func dispatch(
        _ event: NoticeEvent, _ mailer: Mailer?, standing: String? = nil, tellsSuccess: Bool = false,
        requested: String? = nil, delays: [Double] = [0.02, 0.02]
    ) throws -> [BilingualText] {
        let policy = NoticePolicy(
            standing: try standing.map { try MailAddress($0) }, tellsSuccess: tellsSuccess, language: .chinese,
            retryDelays: delays)
        let dispatcher = try NoticeDispatcher(mailer: mailer, policy: policy, log: .silent)
        let reports = Monitor<[BilingualText]>([])
        dispatcher.notify(event, requested: try requested.map { try MailAddress($0) }) { text in
            reports.withLock { $0.append(text) }
        }
        #expect(dispatcher.flush(atMost: 60))
        dispatcher.stop()
        return reports.withLock { $0 }
    }

    private func mailer(_ server: MailServer) throws -> Mailer {
        Mailer(MailSettings(url: server.url, from: try MailAddress("backup@company.com")))
    }

    @Test("A failure is told with its reason and what to do, in both languages")
    func failureText() {
        let chinese = NoticeText(failure, in: .chinese)
        #expect(chinese.subject == "[MLflow 备份] 备份失败（server-01）")
        for part in ["磁盘已满", "处理办法", "用时：2m 15s", "backup_20240730_143000_12345"] {
            #expect(chinese.body.contains(part))
        }
        let english = NoticeText(failure, in: .english)
        #expect(english.subject == "[MLflow backup] Backup failed (server-01)")
        #expect(english.body.contains("The disk is full") && english.body.contains("What to do"))
    }

    @Test(
        "What stopped half way names `recover`, and does not say that nothing changed",
        arguments: TaskRecord.Kind.allCases)
    func needsRecovery(_ kind: TaskRecord.Kind) {
        for language in [Language.chinese, .english] {
            let body = body(kind, "needs-recovery", language)
            #expect(body.contains("mlflow-backup recover"), "\(body)")
            for calm in ["did not change", "没有改变"] { #expect(!body.contains(calm), "\(body)") }
        }
    }

    @Test("A removal that failed says that some of it may be gone; an undo, that the live data is what it was")
    func halfRemoved() {
        let forget = body(.forget, "kept-not-removable", .english)
        #expect(forget.contains("may be gone") && forget.contains("mlflow-backup kept"), "\(forget)")
        #expect(body(.forget, "kept-not-removable", .chinese).contains("可能已删除"))
        #expect(body(.undo, "newer-data", .english).contains("The live data did not change"))
    }

    private func body(_ kind: TaskRecord.Kind, _ code: String, _ language: Language) -> String {
        var event = failure
        event.kind = kind
        event.outcome = .failed(BilingualText(zh: "原因", en: "because"), code: code)
        return NoticeText(event, in: language).body
    }

    @Test("A success names the backup, its size, and the warnings")
    func successText() {
        let text = NoticeText(success, in: .english)
        #expect(text.subject == "[MLflow backup] Backup completed with warnings (server-01)")
        for part in ["mlflow_backup_20240730_143000.tar.gz", "15.2MB", "- 1 file skipped", "Duration: 2m 15s"] {
            #expect(text.body.contains(part))
        }
    }

    @Test("The standing address hears failures; successes only where asked for; one mail an address")
    func recipients() throws {
        let server = try MailServer()
        let mailer = try mailer(server)
        #expect(try dispatch(success, mailer, standing: "ops@company.com").isEmpty)
        #expect(try server.entries("message").isEmpty)
        let reports = try dispatch(failure, mailer, standing: "ops@company.com", requested: "me@company.com")
        #expect(reports.map(\.english) == ["Notice sent to me@company.com, ops@company.com."])
        _ = try dispatch(
            success, mailer, standing: "ops@company.com", tellsSuccess: true, requested: "ops@company.com")
        let got = try server.entries("message")
        #expect(got.flatMap { $0.recipients ?? [] } == ["me@company.com", "ops@company.com", "ops@company.com"])
        #expect(got.last?.subject == "[MLflow 备份] 备份完成，但有警告（server-01）")
    }

    @Test("A server that is busy twice gets the mail at the third try")
    func retried() throws {
        let server = try MailServer(["--refuse-first", "2"])
        let reports = try dispatch(failure, mailer(server), standing: "ops@company.com")
        #expect(reports.map(\.chinese) == ["通知邮件已发送至 ops@company.com。"])
        #expect(try server.entries("rcpt").count == 3)
        #expect(try server.entries("message").count == 1)
    }

    @Test("A server that stays busy is given up after the last try, and the report says why")
    func givenUp() throws {
        let server = try MailServer(["--refuse-first", "99"])
        let reports = try dispatch(failure, mailer(server), standing: "ops@company.com")
        #expect(try server.entries("rcpt").count == 3)
        #expect(reports.count == 1)
        #expect(reports.first?.english.contains("not sent to ops@company.com") == true)
        #expect(reports.first?.english.contains("451 4.3.2 try again later") == true)
    }

    @Test("A refusal for good is not tried again")
    func permanent() throws {
        let server = try MailServer(["--refuse-always"])
        let reports = try dispatch(failure, mailer(server), standing: "ops@company.com")
        #expect(try server.entries("rcpt").count == 1)
        #expect(reports.first?.chinese.contains("550 5.1.1") == true)
    }

    @Test("Without SMTP_URL the report says so")
    func noServerSet() throws {
        let reports = try dispatch(failure, nil, standing: "ops@company.com")
        #expect(reports.map(\.english) == ["Notice not sent to ops@company.com: SMTP_URL is not set."])
    }

    @Test("A stop while a mail waits for its next try reports it as not sent")
    func stopped() throws {
        let server = try MailServer(["--refuse-first", "99"])
        let policy = NoticePolicy(standing: try MailAddress("ops@company.com"), retryDelays: [3600])
        let dispatcher = try NoticeDispatcher(mailer: mailer(server), policy: policy, log: .silent)
        let reports = Monitor<[BilingualText]>([])
        dispatcher.notify(failure) { text in reports.withLock { $0.append(text) } }
        #expect(!dispatcher.flush(atMost: 0.5))
        dispatcher.stop()
        #expect(reports.withLock { $0.first?.english.contains("The service stopped") } == true)
        dispatcher.notify(failure) { text in reports.withLock { $0.append(text) } }
        #expect(reports.withLock { $0.count } == 2)
    }
}
