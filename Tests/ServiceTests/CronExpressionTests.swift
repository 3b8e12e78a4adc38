// SPDX-License-Identifier: Apache-2.0

import Foundation
import Service
import SystemIO
import Testing
import Wording

@Suite("Cron expressions")
struct CronExpressionTests {
    /// A zone of the test's own: TZ belongs to the whole process.
    struct Zone {
        let zone: TimeZone
        let clock: WallClock

        init(_ name: String) throws {
            let zone = try #require(TimeZone(identifier: name))
            self.zone = zone
            clock = WallClock { epoch in
                let shown = epoch + Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(epoch))))
                var calendar = Calendar(identifier: .gregorian)
                calendar.timeZone = .gmt
                let parts = calendar.dateComponents(
                    [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: Double(shown)))
                return CivilTime(
                    year: parts.year ?? 0, month: parts.month ?? 0, day: parts.day ?? 0, hour: parts.hour ?? 0,
                    minute: parts.minute ?? 0, second: parts.second ?? 0)
            }
        }

        func time(_ text: String) throws -> LocalTime {
            LocalTime(epoch: Int64(try #require(ISO8601DateFormatter().date(from: text)).timeIntervalSince1970))
        }

        /// The next due times, with the offset that then holds.
        func next(_ cron: String, after text: String, count: Int = 1) throws -> [String] {
            let expression = try CronExpression(cron)
            let formatter = ISO8601DateFormatter()
            formatter.timeZone = zone
            var now = try time(text)
            return try (0..<count).map { _ in
                now = try #require(expression.next(after: now, on: clock))
                return formatter.string(from: Date(timeIntervalSince1970: Double(now.epoch)))
            }
        }
    }

    @Test(
        "Fields mean what crontab(5) says",
        arguments: [
            ("0 2 * * *", "2024-07-30T01:59:59Z", "2024-07-30T02:00:00Z"),
            ("0 2 * * *", "2024-07-30T02:00:00Z", "2024-07-31T02:00:00Z"),
            ("*/15 * * * *", "2024-07-30T02:46:00Z", "2024-07-30T03:00:00Z"),
            ("5,10-12,50/5 * * * *", "2024-07-30T02:12:00Z", "2024-07-30T02:50:00Z"),
            ("50/5 * * * *", "2024-07-30T02:50:00Z", "2024-07-30T02:55:00Z"),
            ("0 0 1 jan *", "2024-07-30T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("0 0 * * MON-fri", "2024-08-02T12:00:00Z", "2024-08-05T00:00:00Z"),
            ("0 0 * * 7", "2024-07-30T00:00:00Z", "2024-08-04T00:00:00Z"),
            ("0 0 * * 5-7", "2024-08-03T00:00:00Z", "2024-08-04T00:00:00Z"),
            ("0 0 29 2 *", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"),
            ("0 0 31 * *", "2024-08-31T00:00:00Z", "2024-10-31T00:00:00Z"),
            // Both day fields: either is enough.
            ("0 0 13 * FRI", "2024-08-02T00:00:00Z", "2024-08-09T00:00:00Z"),
            ("0 0 13 * FRI", "2024-08-09T00:00:00Z", "2024-08-13T00:00:00Z"),
            // A day field that begins with a star is not a restriction of its own: both must hold.
            ("0 0 */2 * MON", "2024-07-30T00:00:00Z", "2024-08-05T00:00:00Z"),
            ("@daily", "2024-12-31T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("@Weekly", "2024-07-30T00:00:00Z", "2024-08-04T00:00:00Z"),
            ("  0\t2  * * * ", "2024-07-30T00:00:00Z", "2024-07-30T02:00:00Z"),
        ])
    func meaning(cron: String, after: String, due: String) throws {
        #expect(try Zone("UTC").next(cron, after: after) == [due])
    }

    @Test(
        "What is not a schedule is refused in both languages",
        arguments: [
            "", "0 2 * *", "0 2 * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *", "5-1 * * * *", "a * * * *", "1,,2 * * * *", "-1 * * * *", "+1 * * * *", "1- * * * *",
            "* * * MON *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "@reboot", "@dayly", "1/2/3 * * * *",
            "99999999999 * * * *",
        ])
    func refused(cron: String) throws {
        let error = try #require(#expect(throws: CronError.self) { try CronExpression(cron) })
        #expect(!error.explanation.chinese.isEmpty && !error.explanation.english.isEmpty)
    }

    @Test("A time that daylight saving skips runs once, right after the gap")
    func gap() throws {
        let berlin = try Zone("Europe/Berlin")
        #expect(
            try berlin.next("30 2 * * *", after: "2024-03-30T12:00:00Z", count: 2)
                == ["2024-03-31T03:00:00+02:00", "2024-04-01T02:30:00+02:00"])
        #expect(
            try berlin.next("*/20 2 * * *", after: "2024-03-30T12:00:00Z", count: 2)
                == ["2024-03-31T03:00:00+02:00", "2024-04-01T02:00:00+02:00"])
    }

    @Test("A time that daylight saving repeats runs the first time only")
    func overlap() throws {
        let berlin = try Zone("Europe/Berlin")
        #expect(
            try berlin.next("30 2 * * *", after: "2024-10-26T12:00:00Z", count: 2)
                == ["2024-10-27T02:30:00+02:00", "2024-10-28T02:30:00+01:00"])
        // Asked between the two.
        #expect(
            try berlin.next("30 2 * * *", after: "2024-10-27T01:00:00Z") == ["2024-10-28T02:30:00+01:00"])
        #expect(
            try berlin.next("0 * * * *", after: "2024-10-26T23:30:00Z", count: 3)
                == ["2024-10-27T02:00:00+02:00", "2024-10-27T03:00:00+01:00", "2024-10-27T04:00:00+01:00"])
    }

    @Test("Gaps at midnight, of half an hour, and days that do not exist")
    func oddZones() throws {
        // Beirut skips midnight itself.
        #expect(
            try Zone("Asia/Beirut").next("0 0 * * *", after: "2024-03-30T12:00:00Z", count: 2)
                == ["2024-03-31T01:00:00+03:00", "2024-04-01T00:00:00+03:00"])
        // Lord Howe goes forward by half an hour at two.
        #expect(
            try Zone("Australia/Lord_Howe").next("15 2 * * *", after: "2024-10-05T12:00:00Z", count: 2)
                == ["2024-10-06T02:30:00+11:00", "2024-10-07T02:15:00+11:00"])
        // Apia had no 30 December 2011.
        #expect(
            try Zone("Pacific/Apia").next("0 2 * * *", after: "2011-12-29T11:00:00Z", count: 3)
                == ["2011-12-29T02:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T02:00:00+14:00"])
        #expect(
            try Zone("Asia/Shanghai").next("0 2 * * *", after: "2024-07-29T18:00:00Z") == ["2024-07-31T02:00:00+08:00"])
    }

    @Test("The local clock agrees with the C library over two years")
    func localClock() throws {
        let expression = try CronExpression("17 4 * * *")
        var now = LocalTime(epoch: 1_704_067_200)
        for _ in 0..<730 {
            let next = try #require(expression.next(after: now))
            #expect(next > now && next.fields.hour == 4 && next.fields.minute == 17 && next.fields.second == 0)
            now = next
        }
    }
}
