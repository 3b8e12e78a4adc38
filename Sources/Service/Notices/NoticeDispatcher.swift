// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Sends notices on a thread of its own. What cannot be sent is tried again, logged and reported; it never fails the
/// work that it tells of.
package final class NoticeDispatcher: Sendable {
    /// Gets one sentence for the task record, "sent to …" or "not sent: …", when all its mails are dealt with.
    package typealias Report = @Sendable (BilingualText) -> Void

    private let mailer: Mailer?
    private let policy: NoticePolicy
    private let log: Log
    private let queue: Monitor<NoticeQueue>
    private let thread: WorkerThread
    private let delivery: NoticeDelivery
    /// Of a schedule that fails each minute nobody wants a mail each minute.
    private let told: ToldFailures

    /// - Parameters:
    ///   - mailer: `nil` where no SMTP_URL is set: each notice is then reported as not sent.
    ///   - outbox: where mails wait that no server took; `nil` where nothing can be written.
    ///   - told: what other processes have told of.
    ///   - empties: whether this process goes on trying with those that wait.
    package init(
        mailer: Mailer?, policy: NoticePolicy, outbox: Outbox? = nil, told: ToldFailures? = nil, empties: Bool = false,
        log: Log
    ) throws(SystemError) {
        self.mailer = mailer
        self.policy = policy
        self.told = told ?? ToldFailures()
        self.log = log
        let queue = Monitor(NoticeQueue())
        self.queue = queue
        let delivery = NoticeDelivery(mailer, policy.retryDelays, outbox, empties: empties, log)
        self.delivery = delivery
        thread = try WorkerThread("notices") { Self.loop(queue, delivery, empties: empties, log) }
    }

    /// Why mails are not taken; `nil` once one is, and where none had to be sent.
    package var trouble: BilingualText? { delivery.trouble }

    deinit { queue.withLock { $0.isStopped = true } }

    /// Puts the mails of one event into the queue and returns at once.
    /// - Parameters:
    ///   - requested: the address that a request named.
    ///   - report: called once, as a rule on the dispatcher's thread; never where nobody is to be told.
    package func notify(_ event: NoticeEvent, requested: MailAddress? = nil, report: @escaping Report) {
        var recipients = policy.recipients(of: event, requested: requested)
        if recipients.isEmpty { return }
        if isKnown(event) { recipients.removeAll { $0 == policy.standing && $0 != requested } }
        if recipients.isEmpty {
            return report(
                BilingualText(
                    zh: "一小时内已就同样的失败发送过通知邮件，未再发送。",
                    en: "A mail told of the same failure less than an hour ago: no other was sent."))
        }
        send(NoticeText(event, in: policy.language), of: event.taskID, to: recipients, report: report)
    }

    /// Whether the same was told of just now.
    private func isKnown(_ event: NoticeEvent) -> Bool {
        guard event.isScheduled, case .failed(_, let code) = event.outcome else { return false }
        return !told.isNews(code, quietFor: ToldFailures.quiet.schedule)
    }

    /// Tells the standing address of what `/health` finds.
    func tell(_ telling: AlarmBook.Telling) {
        guard let standing = policy.standing else { return }
        send(NoticeText(telling, in: policy.language), of: "alarm-\(telling.check)", to: [standing]) { _ in }
    }

    private func send(
        _ text: NoticeText, of taskID: String, to recipients: [MailAddress], report: @escaping Report
    ) {
        let batch = NoticeBatch(taskID: taskID, open: recipients.count, report: report)
        let sender = mailer?.settings.from
        // One mail a person: an address that is refused must not keep the others from being told.
        let notices = recipients.map { recipient in
            QueuedNotice(
                message: MailMessage(from: sender ?? recipient, to: recipient, subject: text.subject, body: text.body),
                batch: batch, isStanding: recipient == policy.standing)
        }
        let accepted = queue.withLock { queue in
            if !queue.isStopped { queue.waiting += notices }
            return !queue.isStopped
        }
        if !accepted { for notice in notices { delivery.abandon(notice) } }
    }

    /// Waits until everything in the queue is sent or given up.
    /// - Returns: whether that was so within `seconds`.
    @discardableResult
    package func flush(atMost seconds: Double) -> Bool {
        queue.wait(atMost: seconds) { $0.isIdle ? () : nil } != nil
    }

    /// Ends the thread after the mail that is being sent; what still waits is reported as not sent. Flush first.
    package func stop() {
        queue.withLock { $0.isStopped = true }
        thread.join()
    }

    private static func loop(
        _ queue: Monitor<NoticeQueue>, _ delivery: NoticeDelivery, empties: Bool, _ log: Log
    ) {
        while true {
            switch next(queue, atMost: empties ? 60 : 3600) {
            case .send(var notice):
                let outcome = delivery.send(&notice)
                // Reported before it leaves the queue: after a flush the records are up to date.
                if let outcome { notice.batch.settle(outcome) }
                queue.withLock { queue in
                    queue.sending = false
                    if outcome == nil { queue.waiting.append(notice) }
                }
            case .nothing:
                if empties { delivery.emptyOutbox(isStopped: { queue.read { $0.isStopped || !$0.waiting.isEmpty } }) }
            case .stopped(let abandoned):
                for notice in abandoned { delivery.abandon(notice) }
                delivery.settleOutbox()
                queue.withLock { $0.sending = false }
                return
            }
        }
    }

    private enum Step {
        case send(QueuedNotice)
        case nothing
        case stopped([QueuedNotice])
    }

    /// - Parameter longest: seconds after which it is said that there was nothing.
    private static func next(_ queue: Monitor<NoticeQueue>, atMost longest: Double) -> Step {
        // Only this thread puts off mails, so nothing falls due sooner than what is known now; new ones wake it.
        let pause = min(queue.withLock { $0.secondsUntilNext } ?? longest, longest)
        let step: Step? = queue.wait(atMost: pause) { queue in
            if queue.isStopped {
                queue.sending = true
                defer { queue.waiting = [] }
                return .stopped(queue.waiting)
            }
            return queue.takeReady().map { .send($0) }
        }
        return step ?? .nothing
    }
}
