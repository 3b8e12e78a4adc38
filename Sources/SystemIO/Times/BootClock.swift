// SPDX-License-Identifier: Apache-2.0

/// Seconds since the machine was started, and which start that was. A wall clock that is set does not move it, so within one
/// start it tells how much time has really passed.
///
/// It is read from `/proc/uptime` and `/proc/sys/kernel/random/boot_id` (Linux, `proc(5)`). A container may have an uptime of its
/// own (lxcfs, time namespaces) under the machine's identifier, so it is never believed alone (`Moment`).
package struct BootClock: Sendable, Equatable, Codable {
    /// Of the start.
    package let id: String
    /// Since then.
    package let seconds: Int64

    package init(id: String, seconds: Int64) {
        self.id = id
        self.seconds = seconds
    }

    /// - Returns: `nil` where the machine does not say: only the wall clock is left then.
    package static func now() -> BootClock? {
        guard let id = line(of: "/proc/sys/kernel/random/boot_id"), !id.isEmpty,
            let seconds = line(of: "/proc/uptime")?.prefix(while: { $0 != "." }), let seconds = Int64(seconds)
        else { return nil }
        return BootClock(id: id, seconds: seconds)
    }

    private static func line(of path: FilePath) -> String? {
        guard let bytes = try? OpenFile(path, .read).readAll(limit: 4096) else { return nil }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

/// When something happened: by the wall clock, and by that of the machine's start.
package struct Moment: Sendable, Equatable, Codable {
    /// Seconds since 1970 UTC.
    package let epoch: Int64
    package let boot: BootClock?

    package init(epoch: Int64, boot: BootClock?) {
        self.epoch = epoch
        self.boot = boot
    }

    package static func now() -> Moment { Moment(epoch: LocalTime.now().epoch, boot: .now()) }

    /// Clocks that are kept by the network are put back by less than this, in seconds.
    private static let slack: Int64 = 3600

    /// Seconds from then to `now`: the smaller of what the two clocks say, within one start of the machine, so that neither
    /// that was put forward makes it old. A wall clock that shows a time far before then was put back, and says nothing. After
    /// another start it is what the wall clock says, which may be less than none.
    package func age(at now: Moment) -> Int64 {
        let (difference, overflow) = now.epoch.subtractingReportingOverflow(epoch)
        let byWall = overflow ? -1 : difference
        guard let then = boot, let boot = now.boot, then.id == boot.id, then.seconds <= boot.seconds else {
            return byWall
        }
        let (byBoot, isNone) = boot.seconds.subtractingReportingOverflow(then.seconds)
        if isNone { return byWall }
        return overflow || byWall < -Self.slack ? byBoot : min(byBoot, byWall)
    }
}
