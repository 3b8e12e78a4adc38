// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What is wrong, since when, and how often somebody was told: what `/health` finds is told of until it is well.
///
/// A value, without a clock and without a file: `AlarmWatch` has both.
struct AlarmBook: Sendable, Equatable, Codable {
    struct Alarm: Sendable, Equatable, Codable {
        var since: Int64
        var text: Words
        /// The last look that found it, and the first one after that which did not.
        var seen: Int64
        var wellSince: Int64?
        var told = 0
        var lastTold: Int64?
    }

    /// In a file, in both languages.
    struct Words: Sendable, Equatable, Codable {
        var zh: String
        var en: String

        init(_ text: BilingualText) { (zh, en) = (text.chinese, text.english) }
        var text: BilingualText { BilingualText(zh: zh, en: en) }
    }

    /// What is to be told now.
    struct Telling: Sendable, Equatable {
        enum Kind: Sendable { case begins, lasts, over }

        var kind: Kind
        var check: String
        var text: BilingualText
        var since: LocalTime
    }

    /// One that was over: how often it has come back so soon that it is the same trouble still.
    struct Past: Sendable, Equatable, Codable {
        var ended: Int64
        var returns = 0
    }

    /// By the names of their checks.
    private(set) var alarms: [String: Alarm] = [:]
    private(set) var past: [String: Past] = [:]

    /// How long something must last before it is told of, and be well before it is over: a restart of the database is nothing. Seconds.
    static let patience: Int64 = 600
    /// Until it is told of again: the second time, and each time after. Seconds.
    private static let intervals: (second: Int64, later: Int64) = (3600, 86_400)
    private static let week: Int64 = 7 * 86_400
    /// What comes back within this is what it was. Seconds.
    private static let memory: Int64 = 2 * 86_400

    /// Of these a person knows who was told: they are no failure, and stay until he has done something.
    private static let weekly: Set<String> = ["damaged_backups", "kept_parts", "own_backups", "schedule"]

    /// - Parameters:
    ///   - faults: all that is not well now.
    ///   - looked: the checks that were looked at: of others nobody knows whether they are well. `nil` for all.
    ///   - now: seconds since 1970 UTC; a clock that was set back begins anew.
    /// - Returns: what is to be told, in the order of the faults.
    mutating func note(_ faults: [Health.Fault], looked: Set<String>? = nil, now: Int64) -> [Telling] {
        var tellings: [Telling] = []
        past = past.filter {
            alarms[$0.key] != nil || (0..<Self.memory).contains(now.subtracting(clamped: $0.value.ended))
        }
        for fault in faults {
            var alarm = alarms[fault.check] ?? begin(fault, now)
            if alarm.seen > now || alarm.since > now { alarm = begin(fault, now) }
            (alarm.text, alarm.seen, alarm.wellSince) = (Words(fault.text), now, nil)
            if let kind = due(alarm, fault.check, now) {
                alarm.told = alarm.told.adding(clamped: 1)
                alarm.lastTold = now
                tellings.append(
                    .init(kind: kind, check: fault.check, text: fault.text, since: LocalTime(epoch: alarm.since)))
            }
            alarms[fault.check] = alarm
        }
        let found = Set(faults.map(\.check))
        for (check, var alarm) in alarms.sorted(by: { $0.key < $1.key }) where !found.contains(check) {
            if let looked, !looked.contains(check) { continue }
            let well = min(alarm.wellSince ?? now, now)
            alarm.wellSince = well
            // What nobody was told of ends as quietly.
            guard alarm.told == 0 || now.subtracting(clamped: well) >= patience(check) else {
                alarms[check] = alarm
                continue
            }
            alarms[check] = nil
            if alarm.told > 0 {
                past[check] = Past(ended: now, returns: past[check].map { $0.returns.adding(clamped: 1) } ?? 0)
                tellings.append(
                    .init(
                        kind: .over, check: check, text: alarm.text.text, since: LocalTime(epoch: alarm.since)))
            }
        }
        return tellings
    }

    /// What comes and goes has to be well for longer each time before somebody is told that it is over: up to a day.
    private func patience(_ check: String) -> Int64 {
        guard let past = past[check] else { return Self.patience }
        return min(Self.patience << Int64(min(max(past.returns, 0), 20) + 1), 86_400)
    }

    private func begin(_ fault: Health.Fault, _ now: Int64) -> Alarm {
        var alarm = Alarm(since: now, text: Words(fault.text), seen: now)
        // Of a backup that failed its task's own mail tells at once.
        if fault.isTold { (alarm.told, alarm.lastTold) = (1, now) }
        return alarm
    }

    private func due(_ alarm: Alarm, _ check: String, _ now: Int64) -> Telling.Kind? {
        guard let last = alarm.lastTold else {
            return now.subtracting(clamped: alarm.since) >= Self.patience ? .begins : nil
        }
        let interval =
            Self.weekly.contains(check)
            ? Self.week : alarm.told == 1 ? Self.intervals.second : Self.intervals.later
        return now.subtracting(clamped: last) >= interval ? .lasts : nil
    }
}
