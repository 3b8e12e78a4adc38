// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// What a wall clock shows: a date and a time of day without a zone.
package struct CivilTime: Sendable, Hashable {
    package var year: Int
    /// 1 to 12.
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int

    package init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The seconds since 1970 that this clock face would mean in UTC. Steady, so that faces can be subtracted.
    var secondsAsUTC: Int64 {
        CivilDate.days(year: year, month: month, day: day) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    /// The date `days` after 1970-01-01, at midnight.
    init(days: Int64) {
        let date = CivilDate(days: days)
        self.init(year: date.year, month: date.month, day: date.day)
    }

    /// 0 (Sunday) to 6, of a day counted from 1970-01-01, a Thursday.
    static func weekday(ofDay days: Int64) -> Int { Int(((days + 4) % 7 + 7) % 7) }
}

/// How a zone's wall clock runs. `local` is the service's own; tests bring zones of their own, because TZ belongs to
/// the whole process.
package struct WallClock: Sendable {
    /// The clock face at an instant in seconds since 1970-01-01 UTC.
    let face: @Sendable (Int64) -> CivilTime

    package init(face: @escaping @Sendable (Int64) -> CivilTime) { self.face = face }

    /// The zone that TZ names, by the C library's rules.
    package static let local = WallClock { epoch in
        let fields = LocalTime(epoch: epoch).fields
        return CivilTime(
            year: fields.year, month: fields.month, day: fields.day, hour: fields.hour, minute: fields.minute,
            second: fields.second)
    }

    private func offset(at epoch: Int64) -> Int64 { face(epoch).secondsAsUTC - epoch }

    /// When the clock first shows `time`; where it never does, because it is set forward over it, the first second
    /// after the gap. Where it shows `time` twice, the first of the two.
    func instant(of time: CivilTime) -> Int64 {
        let wall = time.secondsAsUTC
        // Zones change their offset at most once within two days.
        let before = offset(at: wall - 86_400)
        let after = offset(at: wall + 86_400)
        let candidates = [wall - before, wall - after].sorted()
        for candidate in candidates where offset(at: candidate) == wall - candidate { return candidate }
        // Skipped: the change lies between the two readings.
        var low = candidates[0] - 1
        var high = candidates[1]
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if offset(at: middle) == before { low = middle } else { high = middle }
        }
        return high
    }
}
