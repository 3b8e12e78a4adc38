// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO

/// The last scheduled run, as it is written down in the state folder: two processes and a restart make one run of a due time.
struct ScheduleRecord: Sendable, Equatable, Codable {
    enum Outcome: String, Sendable, Codable {
        /// Or ended with its process, where that is gone.
        case running
        /// Dealt with, whether by a backup, a suspicious one, or a person who cancelled it.
        case done
        case failed
    }

    /// - Parameter stack: two of one backup folder have a schedule each; empty for the only one.
    static func fileName(of stack: String) -> String {
        stack.isEmpty ? "schedule.json" : "schedule-\(SHA256.digest(of: Array(stack.utf8)).hex.prefix(12)).json"
    }

    /// Of which schedule and zone: what another one says is void.
    var schedule: String
    /// When the last run began, seconds since 1970 UTC, and which one of its due time it was.
    var begun: Int64
    var attempt: Int
    var owner: ProcessIdentity
    var outcome: Outcome

    /// - Returns: `nil` where there is none, and for what cannot be read: at worst a backup more is made.
    static func read(in state: FilePath, of stack: String = "") -> ScheduleRecord? {
        StateRecord.read(ScheduleRecord.self, at: state.appending(fileName(of: stack)), limit: 1 << 16)
    }

    func write(in state: FilePath, of stack: String = "") throws {
        try StateRecord.write(self, to: state.appending(Self.fileName(of: stack)), mode: 0o644)
    }
}
