// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// When the scheduler's thread last looked at the clock: of one that hangs nobody else would say so.
final class Heartbeat: Sendable {
    /// Seconds after which a thread that looks twice a minute must have looked.
    private static let oldAfter: Double = 300

    /// Nanoseconds of `MonotonicTime`; `nil` where nothing is to look.
    private let last = Monitor<UInt64?>(nil)

    func beat() { last.withLock { $0 = MonotonicTime.nanoseconds() } }
    func end() { last.withLock { $0 = nil } }

    var finding: BilingualText? {
        guard let last = last.read({ $0 }), MonotonicTime.seconds(since: last) > Self.oldAfter else { return nil }
        let minutes = Int(nearest: MonotonicTime.seconds(since: last) / 60)
        return BilingualText(
            zh: "备份计划线程已 \(minutes) 分钟没有动静，到时可能不会备份。请查看日志并重启备份服务。",
            en:
                "The scheduler has not looked at the clock for \(minutes) minutes, and may make no backup in time. See the log, and restart "
                + "the backup service.")
    }
}
