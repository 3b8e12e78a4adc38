// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// One try after the other to hand a mail to its server, at last by way of the outbox. On the dispatcher's thread.
final class NoticeDelivery: Sendable {
    private let mailer: Mailer?
    /// Seconds to wait before each further try.
    private let delays: [Double]
    private let outbox: Outbox?
    /// Whether this process goes on trying, also with what no disk takes.
    private let empties: Bool
    private let log: Log
    private let lastFailure = Monitor<BilingualText?>(nil)
    /// When a mail was taken last, seconds since 1970 UTC: what waits since before says nothing of now.
    private let lastSuccess = Monitor<Int64>(.min)

    init(_ mailer: Mailer?, _ delays: [Double], _ outbox: Outbox?, empties: Bool, _ log: Log) {
        self.mailer = mailer
        self.delays = delays
        self.outbox = outbox
        self.empties = empties
        self.log = log
    }

    /// Also of what other processes could not send.
    var trouble: BilingualText? {
        if let known = lastFailure.read({ $0 }) { return known }
        // What waits for a server that is configured no more says nothing of now.
        if mailer == nil { return nil }
        let success = lastSuccess.read { $0 }
        do { return try outbox?.waiting().last { $0.lastTry > success }?.reason.text } catch { return nil }
    }

    /// Tries once. `nil` means that it goes back into the queue, for later.
    func send(_ notice: inout QueuedNotice) -> NoticeBatch.Result? {
        let recipient = notice.message.to
        guard let mailer else {
            log.warning("notice not sent: SMTP_URL is not set", ["task": notice.batch.taskID, "to": recipient])
            let reason = BilingualText(zh: "没有设置 SMTP_URL。", en: "SMTP_URL is not set.")
            lastFailure.withLock { $0 = reason }
            return .notSent(recipient, reason)
        }
        notice.tries += 1
        do throws(MailError) {
            try mailer.send(notice.message)
            log.info("notice sent", ["task": notice.batch.taskID, "to": recipient, "tries": notice.tries])
            noteSuccess()
            return .sent(recipient)
        } catch {
            if !error.isPermanent, notice.tries <= delays.count {
                let delay = delays[notice.tries - 1]
                log.warning(
                    "notice not sent, trying again",
                    ["task": notice.batch.taskID, "to": recipient, "seconds": delay, "reason": error.description])
                notice.notBefore = MonotonicTime.nanoseconds() + UInt64(delay * 1e9)
                return nil
            }
            log.error(
                "notice not sent",
                ["task": notice.batch.taskID, "to": recipient, "tries": notice.tries, "reason": error.description])
            // An address that a request named and that nobody has is that request's affair.
            if case .refused = error, error.isPermanent, !notice.isStanding {
                return .notSent(recipient, error.explanation)
            }
            lastFailure.withLock { $0 = error.explanation }
            return .notSent(
                recipient, error.explanation + putAway(notice, error.explanation, isRefused: error.isPermanent))
        }
    }

    /// One that waits when its process ends.
    func abandon(_ notice: QueuedNotice) {
        log.error("notice not sent: stopping", ["task": notice.batch.taskID, "to": notice.message.to])
        let reason = BilingualText(zh: "服务已停止。", en: "The service stopped.")
        let kept = mailer == nil ? BilingualText.empty : putAway(notice, reason, isRefused: false)
        notice.batch.settle(.notSent(notice.message.to, reason + kept))
    }

    private func noteSuccess() {
        lastFailure.withLock { $0 = nil }
        lastSuccess.withLock { $0 = LocalTime.now().epoch }
    }

    /// - Returns: that it is tried again, as a sentence; empty where it is not.
    private func putAway(_ notice: QueuedNotice, _ reason: BilingualText, isRefused: Bool) -> BilingualText {
        guard let outbox else { return BilingualText.empty }
        let message = notice.message
        let mail = Outbox.Mail(
            to: message.to.text, subject: message.subject, body: message.body, written: message.date.epoch,
            messageID: message.messageID, boot: .now(), taskID: notice.batch.taskID, reason: .init(reason),
            isRefused: isRefused, lastTry: LocalTime.now().epoch)
        let kept = BilingualText(
            zh: "邮件保留两天，运行中的服务会再次尝试发送。", en: " The mail is kept for two days, and a running service goes on trying.")
        do {
            do { try outbox.put(mail) } catch {
                guard empties else { throw error }
                try outbox.remember(mail)
                log.warning("a mail is kept in memory", ["task": mail.taskID, "reason": error.bilingual[.english]])
            }
            return kept
        } catch {
            log.error("a mail cannot be kept", ["task": mail.taskID, "reason": error.bilingual[.english]])
            return BilingualText.empty
        }
    }

    /// - Parameters:
    ///   - isStopped: asked between two mails.
    func emptyOutbox(now: Moment = .now(), isStopped: () -> Bool = { false }) {
        guard let outbox else { return }
        do {
            try outbox.deliver(now: now, isStopped: isStopped, expired: lost) { mail in
                var left = mail
                guard let mailer else {
                    left.isRefused = true
                    return left
                }
                do throws(MailError) {
                    try mailer.send(try message(mail, from: mailer.settings.from))
                    log.info("notice sent late", ["task": mail.taskID, "to": mail.to])
                    noteSuccess()
                    return nil
                } catch {
                    log.warning(
                        "notice still not sent", ["task": mail.taskID, "to": mail.to, "reason": error.description])
                    lastFailure.withLock { $0 = error.explanation }
                    (left.reason, left.isRefused) = (.init(error.explanation), error.isPermanent)
                    return left
                }
            }
        } catch { log.warning("the outbox cannot be emptied", ["reason": error.bilingual[.english]]) }
    }

    /// At the end of the process: what is in memory only is written down, or given up with a line each.
    func settleOutbox() {
        outbox?.writeDown { mail, error in
            log.error(
                "notice not sent and not kept, given up: the service stops",
                ["task": mail.taskID, "to": mail.to, "subject": mail.subject, "reason": error.bilingual[.english]])
        }
    }

    private func lost(_ mail: Outbox.Mail) {
        log.error(
            "notice not sent in two days, given up",
            ["task": mail.taskID, "to": mail.to, "subject": mail.subject, "reason": mail.reason.en])
    }

    private func message(_ mail: Outbox.Mail, from sender: MailAddress) throws(MailError) -> MailMessage {
        do throws(MailAddressError) {
            return MailMessage(
                from: sender, to: try MailAddress(mail.to), subject: mail.subject, body: mail.body,
                date: LocalTime(epoch: mail.written), messageID: mail.messageID)
        } catch { throw .failed(server: "outbox", reason: error.explanation[.english]) }
    }
}
