// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemIO

/// One mail: plain text in any language, to one person.
package struct MailMessage: Sendable, Equatable {
    package let from: MailAddress
    package let to: MailAddress
    package let subject: String
    package let body: String
    package let date: LocalTime
    /// Stays the same over retries, so that a mail that was sent twice is shown once.
    package let messageID: String

    package init(
        from: MailAddress, to: MailAddress, subject: String, body: String, date: LocalTime = .now(),
        messageID known: String? = nil
    ) {
        self.from = from
        self.to = to
        self.subject = subject
        self.body = body
        self.date = date
        let random = String(UInt64.random(in: .min ... .max), radix: 36)
        messageID = known ?? "<\(date.epoch).\(random)@\(from.domain)>"
    }

    /// The whole message as it goes over the wire (RFC 5322, MIME of RFC 2045), with CRLF line ends.
    package var encoded: [UInt8] {
        var text = "Date: \(Self.format(date))\r\n"
        text += "From: <\(from)>\r\n"
        text += "To: <\(to)>\r\n"
        text += "Message-ID: \(messageID)\r\n"
        text += EncodedWord.header("Subject", subject)
        // RFC 3834: keeps out-of-office robots from answering.
        text += "Auto-Submitted: auto-generated\r\n"
        text += "MIME-Version: 1.0\r\n"
        text += "Content-Type: text/plain; charset=utf-8\r\n"
        text += "Content-Transfer-Encoding: base64\r\n\r\n"
        let lines = body.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: "\r\n")
        text += Data(lines.utf8).base64EncodedString(options: [
            .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
        ])
        return Array((text + "\r\n").utf8)
    }

    /// `Tue, 30 Jul 2024 02:00:00 +0000` (RFC 5322, section 3.3), in UTC: the reader's program shows its own zone.
    private static func format(_ time: LocalTime) -> String {
        let day = Int64((Double(time.epoch) / 86_400).rounded(.down))
        let date = CivilTime(days: day)
        let second = Int(time.epoch - day * 86_400)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock = "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
        let weekday = weekdays[CivilTime.weekday(ofDay: day)]
        return "\(weekday), \(date.day) \(months[date.month - 1]) \(date.year) \(clock) +0000"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
