// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Five cron fields, with the meaning that crontab(5) of Debian's cron gives them.
///
/// Where both day fields are restricted, either one is enough; a day field that starts with `*` is not restricted.
/// A time that daylight saving skips is taken at the first second after the gap, a repeated one the first time only.
package struct CronExpression: Sendable, Equatable, CustomStringConvertible {
    /// The line as it was written.
    package let description: String
    private let minutes: [Int]
    private let hours: [Int]
    private let daysOfMonth: Set<Int>
    private let months: Set<Int>
    private let daysOfWeek: Set<Int>
    private let eitherDay: Bool

    /// - Parameter text: `0 2 * * *`, names as `MON` and `JAN` in any case, or a nickname as `@daily`.
    package init(_ text: String) throws(CronError) {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        description = line
        let fields = try Self.expanded(line).split(separator: " ").map(String.init)
        guard fields.count == 5 else { throw .fieldCount(line: line, found: fields.count) }
        minutes = try CronField.minute.values(fields[0]).sorted()
        hours = try CronField.hour.values(fields[1]).sorted()
        daysOfMonth = try CronField.dayOfMonth.values(fields[2])
        months = try CronField.month.values(fields[3])
        daysOfWeek = try CronField.dayOfWeek.values(fields[4])
        eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        // Some day of the 400 years after which the calendar repeats must match.
        let start = CivilDate.days(year: 2000, month: 1, day: 1)
        guard firstDay(in: start..<(start + 146_097)) != nil else { throw .impossible(line: line) }
    }

    /// The first due time later than `time`, or than the end of the calendar that it lies beyond. `nil` only where none comes
    /// within 41 years.
    package func next(after time: LocalTime, on clock: WallClock = .local) -> LocalTime? {
        let time = time.inCalendar
        let today = clock.face(time.epoch)
        // A day early: a clock set back over midnight shows yesterday's date twice.
        var from = CivilDate.days(year: today.year, month: today.month, day: today.day) - 1
        let end = from + 41 * 366
        while let day = firstDay(in: from..<end) {
            var face = CivilTime(days: day)
            for hour in hours {
                for minute in minutes {
                    face.hour = hour
                    face.minute = minute
                    let instant = clock.instant(of: face)
                    if instant > time.epoch { return LocalTime(epoch: instant) }
                }
            }
            from = day + 1
        }
        return nil
    }

    private func firstDay(in days: Range<Int64>) -> Int64? {
        days.first { day in
            let date = CivilTime(days: day)
            guard months.contains(date.month) else { return false }
            let byMonth = daysOfMonth.contains(date.day)
            let byWeek = daysOfWeek.contains(CivilTime.weekday(ofDay: day))
            return eitherDay ? byMonth || byWeek : byMonth && byWeek
        }
    }

    private static func expanded(_ line: String) throws(CronError) -> String {
        guard line.hasPrefix("@") else { return line }
        switch line.lowercased() {
        case "@hourly": return "0 * * * *"
        case "@daily", "@midnight": return "0 0 * * *"
        case "@weekly": return "0 0 * * 0"
        case "@monthly": return "0 0 1 * *"
        case "@yearly", "@annually": return "0 0 1 1 *"
        default: throw .unknownNickname(line)
        }
    }
}
