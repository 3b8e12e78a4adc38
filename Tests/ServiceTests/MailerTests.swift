// SPDX-License-Identifier: Apache-2.0

import Foundation
import Service
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("Mails through a real SMTP server")
struct MailerTests {
    private func message(_ subject: String, _ body: String) throws -> MailMessage {
        MailMessage(
            from: try MailAddress("backup@company.com"), to: try MailAddress("admin@company.com"), subject: subject,
            body: body, date: LocalTime(epoch: 1_722_304_800))
    }

    @Test("A Chinese subject and body arrive as they were written")
    func chinese() throws {
        let server = try MailServer()
        let subject = "[MLflow 备份] 备份失败：磁盘已满，请释放空间后重试，😀 这是一个需要折成好几行的很长很长的主题（server-01）"
        let body = "备份失败\n\n.以点开头的一行\n原因：磁盘已满 🚨\n" + String(repeating: "很长的一行", count: 300) + "\n"
        try Mailer(MailSettings(url: server.url, from: MailAddress("backup@company.com"))).send(message(subject, body))
        let got = try #require(try server.entries("message").first)
        #expect(got.subject == subject)
        #expect(got.body == body)
        #expect(got.defects == [])
        #expect(got.ascii == true)
        #expect(try #require(got.longestLine) <= 78)
        #expect(got.sender == "backup@company.com")
        #expect(got.recipients == ["admin@company.com"])
        #expect(got.headers?["Auto-Submitted"] == "auto-generated")
        #expect(got.headers?["Date"] == "Tue, 30 Jul 2024 02:00:00 +0000")
        #expect(got.headers?["Message-ID"]?.hasSuffix("@company.com>") == true)
    }

    @Test("Subjects of every length and mix decode to themselves", arguments: ["中", "a中", "aa中", "😀"])
    func everyLength(unit: String) throws {
        let server = try MailServer()
        let mailer = Mailer(MailSettings(url: server.url, from: try MailAddress("backup@company.com")))
        let subjects = (1...25).map { String(repeating: unit, count: $0 * 2) + "." }
        for subject in subjects { try mailer.send(message(subject, subject)) }
        let got = try server.entries("message")
        #expect(got.map(\.subject) == subjects)
        #expect(got.allSatisfy { $0.defects == [] && ($0.longestLine ?? 99) <= 76 })
    }

    @Test("Nothing in a subject can add a header")
    func injection() throws {
        let server = try MailServer()
        let mailer = Mailer(MailSettings(url: server.url, from: try MailAddress("backup@company.com")))
        for evil in [
            "a\r\nBcc: x@y.z", "a\nBcc: x@y.z\n\nbody", "中\r\n\r\nbody", "a\u{2028}Bcc: x@y.z", "a\0b",
            "=?UTF-8?B?DQo=?=",
        ] {
            try mailer.send(message(evil, "body"))
        }
        let got = try server.entries("message")
        #expect(got.count == 6)
        for mail in got {
            #expect(mail.headers?["Bcc"] == nil)
            #expect(mail.headers?.count == 9)
            #expect(mail.body == "body")
            #expect(mail.recipients == ["admin@company.com"])
        }
        #expect(got.first?.subject == "a  Bcc: x@y.z")
        #expect(got.last?.subject == "=?UTF-8?B?DQo=?=")
    }

    @Test("STARTTLS and a login: the right password sends, a wrong one and an unknown certificate do not")
    func encrypted() throws {
        let folder = try ScratchFolder()
        let made = try SelfSignedCertificate(in: folder.path)
        let server = try MailServer([
            "--certificate", made.certificate.string, "--key", made.key.string, "--user", "backup", "--password",
            "geheim-密码",
        ])
        let from = try MailAddress("backup@company.com")
        var settings = MailSettings(
            url: server.url, from: from, username: "backup", password: Secret("geheim-密码"),
            authorityFile: made.certificate)
        #expect(settings.startTLS == .required)
        try Mailer(settings).send(message("hello", "world"))
        let got = try #require(try server.entries("message").first)
        #expect(got.encrypted == true && got.authenticated == true)

        settings.password = Secret("wrong-password")
        let refusal = #expect(throws: MailError.self) { try Mailer(settings).send(message("hello", "world")) }
        let explained = try #require(refusal)
        guard case .loginRefused = explained else { throw explained }
        #expect(explained.isPermanent)
        #expect(!explained.explanation.english.contains("wrong-password"))

        settings.password = Secret("geheim-密码")
        settings.authorityFile = nil
        let unknown = #expect(throws: MailError.self) { try Mailer(settings).send(message("hello", "world")) }
        guard case .encryption = try #require(unknown) else { throw try #require(unknown) }
        #expect(try server.entries("message").count == 1)
    }

    @Test("smtps:// is encrypted from the start")
    func implicit() throws {
        let folder = try ScratchFolder()
        let made = try SelfSignedCertificate(in: folder.path)
        let server = try MailServer([
            "--certificate", made.certificate.string, "--key", made.key.string, "--user", "backup", "--password",
            "geheim",
            "--implicit",
        ])
        let settings = MailSettings(
            url: server.encryptedURL, from: try MailAddress("backup@company.com"), username: "backup",
            password: Secret("geheim"), authorityFile: made.certificate)
        try Mailer(settings).send(message("hello", "world"))
        #expect(try server.entries("message").first?.authenticated == true)
    }

    @Test("A password is not sent where the server offers no encryption")
    func noEncryptionOffered() throws {
        let server = try MailServer()
        let settings = MailSettings(
            url: server.url, from: try MailAddress("backup@company.com"), username: "backup", password: Secret("geheim")
        )
        let error = #expect(throws: MailError.self) { try Mailer(settings).send(message("hello", "world")) }
        guard case .encryption = try #require(error) else { throw try #require(error) }
    }

    @Test("A recipient that the server refuses is a permanent error with the server's words")
    func refused() throws {
        let server = try MailServer(["--refuse-always"])
        let mailer = Mailer(MailSettings(url: server.url, from: try MailAddress("backup@company.com")))
        let error = #expect(throws: MailError.self) { try mailer.send(message("hello", "world")) }
        #expect(error?.isPermanent == true)
        #expect(error?.explanation.english.contains("550 5.1.1 no such mailbox") == true)
    }

    @Test("A server that is not there is unreachable, for now")
    func nobodyThere() throws {
        let mailer = Mailer(MailSettings(url: "smtp://127.0.0.1:1", from: try MailAddress("backup@company.com")))
        let error = #expect(throws: MailError.self) { try mailer.send(message("hello", "world")) }
        guard case .unreachable = try #require(error) else { throw try #require(error) }
        #expect(error?.isPermanent == false)
    }
}
