// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import Service

@Suite("Alarms: what is not well is told of until it is")
struct AlarmBookTests {
    private let database = Health.Fault("database", BilingualText(zh: "数据库", en: "no database"))
    private let failed = Health.Fault("last_backup", BilingualText(zh: "失败", en: "failed"), isTold: true)
    private let kept = Health.Fault("kept_parts", BilingualText(zh: "保留", en: "kept"))
    private let start: Int64 = 1_800_000_000

    /// Looks each half minute, as the service does.
    private func tellings(
        _ book: inout AlarmBook, _ faults: [Health.Fault], from begin: Int64, for seconds: Int64
    ) -> [(at: Int64, kind: AlarmBook.Telling.Kind)] {
        stride(from: begin, to: begin + seconds, by: 30).flatMap { now in
            book.note(faults, now: now).map { (now - begin, $0.kind) }
        }
    }

    @Test("after ten minutes, an hour later, then daily, and once when it has been well for ten minutes")
    func rhythm() {
        var book = AlarmBook()
        let told = tellings(&book, [database], from: start, for: 3 * 86_400)
        let expected: [Int64] = [600, 4200, 90_600, 177_000]
        #expect(told.map(\.at) == expected)
        #expect(told.map(\.kind) == [.begins, .lasts, .lasts, .lasts])
        let over = tellings(&book, [], from: start + 3 * 86_400, for: 86_400)
        #expect(over.map(\.at) == [600] && over.map(\.kind) == [.over])
        #expect(book.alarms.isEmpty)
    }

    @Test("a moment of it is told to nobody, and one that comes and goes is one alarm")
    func short() {
        var book = AlarmBook()
        #expect(tellings(&book, [database], from: start, for: 300).isEmpty)
        #expect(tellings(&book, [], from: start + 300, for: 3600).isEmpty)
        var now = start
        var told: [AlarmBook.Telling.Kind] = []
        // Two hours of five minutes well, ten minutes not.
        for _ in 0..<8 {
            told += tellings(&book, [database], from: now, for: 630).map(\.kind)
            told += tellings(&book, [], from: now + 630, for: 300).map(\.kind)
            now += 930
        }
        #expect(told == [.begins, .lasts], "\(told)")
    }

    @Test("of a failed backup its task has told: again after an hour; what waits for a person is told once a week")
    func special() {
        var book = AlarmBook()
        #expect(tellings(&book, [failed], from: start, for: 86_400).map(\.at) == [3600])
        var other = AlarmBook()
        let weekly: [Int64] = [600, 605_400]
        #expect(tellings(&other, [kept], from: start, for: 8 * 86_400).map(\.at) == weekly)
    }

    @Test("what comes and goes for days is told of ever more rarely, and over only when it stays well for longer")
    func flapping() {
        var book = AlarmBook()
        var told: [AlarmBook.Telling.Kind] = []
        var now = start
        // Four days of a quarter of an hour well, a quarter not.
        for _ in 0..<192 {
            told += tellings(&book, [database], from: now, for: 900).map(\.kind)
            told += tellings(&book, [], from: now + 900, for: 900).map(\.kind)
            now += 1800
        }
        #expect(told.first == .begins && told.count < 10, "\(told)")
        #expect(told.count { $0 == .over } == 1, "\(told)")
        #expect(!book.alarms.isEmpty)
        // It ends all the same, and is forgotten.
        let over = tellings(&book, [], from: now, for: 2 * 86_400)
        #expect(over.map(\.kind) == [.over] && book.alarms.isEmpty)
        let later = now + 5 * 86_400
        #expect(tellings(&book, [database], from: later, for: 700).map(\.kind) == [.begins])
        #expect(tellings(&book, [], from: later + 700, for: 700).map(\.kind) == [.over])
    }

    @Test("what nobody looked at is neither well nor begins anew")
    func unseen() {
        var book = AlarmBook()
        _ = tellings(&book, [database], from: start, for: 1200)
        for now in stride(from: start + 1200, to: start + 4000, by: 30) {
            #expect(book.note([], looked: ["backup_directory"], now: now).isEmpty)
        }
        #expect(book.note([database], looked: ["database"], now: start + 4230).map(\.kind) == [.lasts])
        let over = stride(from: start + 5000, to: start + 6000, by: 30).flatMap {
            book.note([], looked: ["database"], now: $0)
        }
        #expect(over.map(\.kind) == [.over])
    }

    @Test("a clock that was set back begins anew, and keeps nobody from being told")
    func setBack() {
        var book = AlarmBook()
        _ = tellings(&book, [database], from: start, for: 1200)
        let years: Int64 = 10 * 365 * 86_400
        #expect(tellings(&book, [database], from: start - years, for: 1200).map(\.at) == [600])
    }

    @Test("what was told is known after a restart, and a file that cannot be read is as none")
    func restart() throws {
        let folder = try ScratchFolder()
        let server = try MailServer()
        func watch() throws -> (AlarmWatch, NoticeDispatcher) {
            let mailer = Mailer(MailSettings(url: server.url, from: try MailAddress("backup@company.com")))
            let notices = try NoticeDispatcher(
                mailer: mailer, policy: NoticePolicy(standing: try MailAddress("ops@company.com"), language: .english),
                log: .silent)
            return (AlarmWatch(in: folder.path, notices: notices, log: .silent), notices)
        }
        for now in [start, start + 600] {
            let (watch, notices) = try watch()
            watch.note([database], now: now)
            #expect(notices.flush(atMost: 30))
        }
        let mails = try server.entries("message")
        #expect(mails.map(\.subject) == ["[MLflow backup] Something is wrong: database (\(HostName.current()))"])
        #expect(mails.first?.body?.contains("no database") == true)
        let (again, notices) = try watch()
        again.note([database], now: start + 1200)
        #expect(notices.flush(atMost: 30))
        #expect(try server.entries("message").count == 1)
        _ = try folder.write("alarms.json", "{")
        let (anew, others) = try watch()
        for now in [start, start + 600] { anew.note([database], now: now) }
        #expect(others.flush(atMost: 30))
        #expect(try server.entries("message").count == 2)
    }
}
