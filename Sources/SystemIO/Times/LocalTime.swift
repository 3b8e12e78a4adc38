// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A wall-clock second in the service's own time zone (TZ), as backup names and API times show it.
package struct LocalTime: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01 UTC.
    package let epoch: Int64

    package init(epoch: Int64) { self.epoch = epoch }

    package static func now() -> LocalTime { LocalTime(epoch: FileTime.now().seconds) }

    package static func < (lhs: LocalTime, rhs: LocalTime) -> Bool { lhs.epoch < rhs.epoch }

    /// `2024-07-30T02:00:00`.
    package var iso: String { formatted("%Y-%m-%dT%H:%M:%S") }
    /// `20240730_020000`, the stamp in a backup's name.
    package var stamp: String { formatted("%Y%m%d_%H%M%S") }
    /// `2024-07-30`: the calendar day, which retention counts in.
    package var day: String { formatted("%Y-%m-%d") }

    /// Calendar fields in the local zone; `month` 1 to 12, `weekday` 0 (Sunday) to 6.
    package var fields: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, weekday: Int) {
        let parts = broken
        return (
            Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday), Int(parts.tm_hour),
            Int(parts.tm_min), Int(parts.tm_sec), Int(parts.tm_wday)
        )
    }

    /// Reads `20240730_020000`. In the hour that daylight saving repeats, the first of the two is meant.
    package init?(stamp: String) {
        let digits = Array(stamp.utf8)
        guard digits.count == 15, digits[8] == UInt8(ascii: "_") else { return nil }
        func number(_ range: Range<Int>) -> Int32? {
            var value: Int32 = 0
            for digit in digits[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
                value = value * 10 + Int32(digit - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8),
            let hour = number(9..<11), let minute = number(11..<13), let second = number(13..<15),
            (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day), hour < 24, minute < 60,
            second < 60
        else { return nil }
        var parts = tm()
        parts.tm_year = year - 1900
        parts.tm_mon = month - 1
        parts.tm_mday = day
        parts.tm_hour = hour
        parts.tm_min = minute
        parts.tm_sec = second
        parts.tm_isdst = -1
        let seconds = mktime(&parts)
        guard seconds != -1 else { return nil }
        epoch = Int64(seconds)
    }

    private static func days(in month: Int32, of year: Int32) -> Int32 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// What a calendar shows: the years 1 to 9999, but for the two days that may be another year's in some zone.
    package static let calendar: ClosedRange<Int64> = -62_135_510_400...253_402_214_399

    /// The nearest one that a calendar shows.
    package var inCalendar: LocalTime {
        LocalTime(epoch: min(max(epoch, Self.calendar.lowerBound), Self.calendar.upperBound))
    }

    /// Of a time beyond the calendar, which a file's stamp or a record may say, the end of it.
    private var broken: tm {
        var seconds = time_t(inCalendar.epoch)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return parts
    }

    /// Makes the zone that the settings name the process's own (tzset(3)). To be called before other threads are there.
    package static func useZone(_ name: String) {
        setenv("TZ", name, 1)
        tzset()
    }

    private func formatted(_ pattern: String) -> String { broken.formatted(pattern) }
}

extension tm {
    /// As strftime(3) writes it, in at most 63 bytes; names of days and months are the C locale's, which the program never leaves.
    package func formatted(_ pattern: String) -> String {
        var (parts, buffer) = (self, [CChar](repeating: 0, count: 64))
        let length = strftime(&buffer, buffer.count, pattern, &parts)
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Time that only goes forward, for durations.
package enum MonotonicTime {
    package static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Seconds that have passed since `start`, an earlier `nanoseconds()`.
    package static func seconds(since start: UInt64) -> Double { Double(nanoseconds() - start) / 1e9 }
}
