// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Sends notices on a thread of its own. What cannot be sent is tried again, logged and reported; it never fails the
/// work that it tells of.
public final class NoticeDispatcher: Sendable {
    /// Gets one sentence for the task record, "sent to …" or "not sent: …", when all its mails are dealt with.
    public typealias Report = @Sendable (BilingualText) -> Void

    private let mailer: Mailer?
    private let policy: NoticePolicy
    private let log: Log
    private let queue: Monitor<NoticeQueue>
    private let thread: WorkerThread

    /// - Parameter mailer: `nil` where no SMTP_URL is set: each notice is then reported as not sent.
    public init(mailer: Mailer?, policy: NoticePolicy, log: Log) throws(SystemError) {
        self.mailer = mailer
        self.policy = policy
        self.log = log
        let queue = Monitor(NoticeQueue())
        self.queue = queue
        thread = try WorkerThread("notices") { Self.loop(queue, mailer, policy.retryDelays, log) }
    }

    deinit { queue.withLock { $0.isStopped = true } }

    /// Puts the mails of one event into the queue and returns at once.
    /// - Parameters:
    ///   - requested: the address that a request named.
    ///   - report: called once, as a rule on the dispatcher's thread; never where nobody is to be told.
    public func notify(_ event: NoticeEvent, requested: MailAddress? = nil, report: @escaping Report) {
        let recipients = policy.recipients(of: event, requested: requested)
        if recipients.isEmpty { return }
        let text = NoticeText(event, in: policy.language)
        let batch = NoticeBatch(taskID: event.taskID, open: recipients.count, report: report)
        let sender = mailer?.settings.from
        // One mail a person: an address that is refused must not keep the others from being told.
        let notices = recipients.map { recipient in
            QueuedNotice(
                message: MailMessage(from: sender ?? recipient, to: recipient, subject: text.subject, body: text.body),
                batch: batch)
        }
        let accepted = queue.withLock { queue in
            if !queue.isStopped { queue.waiting += notices }
            return !queue.isStopped
        }
        if !accepted { Self.abandon(notices, log) }
    }

    /// Waits until everything in the queue is sent or given up.
    /// - Returns: whether that was so within `seconds`.
    @discardableResult
    public func flush(atMost seconds: Double) -> Bool {
        queue.wait(atMost: seconds) { $0.isIdle ? () : nil } != nil
    }

    /// Ends the thread after the mail that is being sent; what still waits is reported as not sent. Flush first.
    public func stop() {
        queue.withLock { $0.isStopped = true }
        thread.join()
    }

    private static func loop(_ queue: Monitor<NoticeQueue>, _ mailer: Mailer?, _ delays: [Double], _ log: Log) {
        while true {
            switch next(queue) {
            case .send(var notice):
                let outcome = send(&notice, mailer, delays, log)
                // Reported before it leaves the queue: after a flush the records are up to date.
                if let outcome { notice.batch.settle(outcome) }
                queue.withLock { queue in
                    queue.sending = false
                    if outcome == nil { queue.waiting.append(notice) }
                }
            case .stopped(let abandoned):
                abandon(abandoned, log)
                queue.withLock { $0.sending = false }
                return
            }
        }
    }

    private static func abandon(_ notices: [QueuedNotice], _ log: Log) {
        for notice in notices {
            log.error("notice not sent: stopping", ["task": notice.batch.taskID, "to": notice.message.to])
            let reason = BilingualText(zh: "服务已停止。", en: "The service stopped.")
            notice.batch.settle(.notSent(notice.message.to, reason))
        }
    }

    private enum Step {
        case send(QueuedNotice)
        case stopped([QueuedNotice])
    }

    private static func next(_ queue: Monitor<NoticeQueue>) -> Step {
        while true {
            // Only this thread puts off mails, so nothing falls due sooner than what is known now; new ones wake it.
            let pause = queue.withLock { $0.secondsUntilNext } ?? 3600
            let step: Step? = queue.wait(atMost: pause) { queue in
                if queue.isStopped {
                    queue.sending = true
                    defer { queue.waiting = [] }
                    return .stopped(queue.waiting)
                }
                return queue.takeReady().map { .send($0) }
            }
            if let step { return step }
        }
    }

    /// Tries once. `nil` means that it goes back into the queue, for later.
    private static func send(
        _ notice: inout QueuedNotice, _ mailer: Mailer?, _ delays: [Double], _ log: Log
    ) -> NoticeBatch.Result? {
        let recipient = notice.message.to
        guard let mailer else {
            log.warning("notice not sent: SMTP_URL is not set", ["task": notice.batch.taskID, "to": recipient])
            return .notSent(
                recipient, BilingualText(zh: "没有设置 SMTP_URL。", en: "SMTP_URL is not set."))
        }
        notice.tries += 1
        do throws(MailError) {
            try mailer.send(notice.message)
            log.info("notice sent", ["task": notice.batch.taskID, "to": recipient, "tries": notice.tries])
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
                "notice not sent, given up",
                ["task": notice.batch.taskID, "to": recipient, "tries": notice.tries, "reason": error.description])
            return .notSent(recipient, error.explanation)
        }
    }
}
