// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// When a backup was made, which three places tell: its name, its sidecar and its manifest. A bit that flipped in the
/// sidecar must not make a backup old enough to go, nor new enough to push others out.
enum BackupDate {
    /// Seconds that may lie between taking a name and beginning the backup.
    private static let slack: Int64 = 99
    /// The name has the time of the zone that was set then. Zones lie up to 26 hours apart, by whole quarters of an hour.
    private static let zones: Int64 = 26 * 3600
    private static let quarter: Int64 = 900

    /// Whether a date can be that of the backup with this name. A single bit of a decimal digit that changes a date by more
    /// than 1000 seconds leaves it 100 or more away from every quarter of an hour, or more than 26 hours away.
    static func agrees(_ seconds: Int64, with name: BackupName) -> Bool {
        guard let time = name.time?.epoch else { return true }
        let (difference, overflow) = seconds.subtractingReportingOverflow(time)
        guard !overflow, difference >= -zones - slack, difference <= zones + slack else { return false }
        let beyond = ((difference % quarter) + quarter) % quarter
        return beyond <= slack || beyond >= quarter - slack
    }

    /// What a listing shows and retention goes by, in seconds since 1970 UTC; `nil` where neither tells.
    static func listed(_ name: BackupName, noted: Int64?) -> Int64? {
        if let noted, agrees(noted, with: name) { return noted }
        return name.time?.epoch
    }

    /// What is right, once the manifest was read. Where nothing had changed an archive has a second name, and its manifest
    /// is as old as the first.
    static func verified(_ name: BackupName, noted: Int64?, _ manifest: Manifest) -> Int64 {
        if manifest.name == name.string || name.time == nil, agrees(manifest.created, with: name) {
            return manifest.created
        }
        return listed(name, noted: noted) ?? manifest.created
    }

    /// Whether two dates differ by more than a backup that somebody put here may have been off.
    static func differ(_ one: Int64, _ other: Int64) -> Bool {
        let (difference, overflow) = one.subtractingReportingOverflow(other)
        return overflow || difference.magnitude > UInt64(slack)
    }
}
