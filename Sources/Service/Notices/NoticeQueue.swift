// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What the dispatcher's thread and its callers share.
struct NoticeQueue {
    var waiting: [QueuedNotice] = []
    /// Whether one has been taken out and is not dealt with yet.
    var sending = false
    var isStopped = false

    var isIdle: Bool { waiting.isEmpty && !sending }

    /// `nil` where nothing waits.
    var secondsUntilNext: Double? {
        guard let soonest = waiting.map(\.notBefore).min() else { return nil }
        let now = MonotonicTime.nanoseconds()
        return soonest > now ? Double(soonest - now) / 1e9 : 0
    }

    mutating func takeReady() -> QueuedNotice? {
        let now = MonotonicTime.nanoseconds()
        guard let ready = waiting.firstIndex(where: { $0.notBefore <= now }) else { return nil }
        sending = true
        return waiting.remove(at: ready)
    }
}

struct QueuedNotice: Sendable {
    let message: MailMessage
    let batch: NoticeBatch
    /// Whether it goes to who is told of every failure.
    let isStanding: Bool
    var tries = 0
    /// On the monotonic clock, nanoseconds.
    var notBefore: UInt64 = 0
}

/// The mails of one event, which are reported together.
final class NoticeBatch: Sendable {
    enum Result: Sendable {
        case sent(MailAddress)
        case notSent(MailAddress, BilingualText)
    }

    let taskID: String
    private let open: Monitor<(count: Int, results: [Result])>
    private let report: NoticeDispatcher.Report

    init(taskID: String, open count: Int, report: @escaping NoticeDispatcher.Report) {
        self.taskID = taskID
        open = Monitor((count: count, results: []))
        self.report = report
    }

    /// The last one to be settled makes the report.
    func settle(_ result: Result) {
        let results: [Result]? = open.withLock { open in
            open.count -= 1
            open.results.append(result)
            return open.count == 0 ? open.results : nil
        }
        if let results { report(Self.summary(results)) }
    }

    private static func summary(_ results: [Result]) -> BilingualText {
        let sent = results.compactMap { if case .sent(let address) = $0 { address.text } else { nil } }
        var parts: [BilingualText] = []
        if !sent.isEmpty {
            let list = sent.joined(separator: ", ")
            parts.append(BilingualText(zh: "通知邮件已发送至 \(list)。", en: "Notice sent to \(list)."))
        }
        for case .notSent(let address, let reason) in results {
            parts.append(
                BilingualText(
                    zh: "通知邮件未能发送至 \(address)：\(reason.chinese)",
                    en: "Notice not sent to \(address): \(reason.english)"))
        }
        return BilingualText(
            zh: parts.map(\.chinese).joined(), en: parts.map { $0.english.trimmingSpaces }.joined(separator: " "))
    }
}
