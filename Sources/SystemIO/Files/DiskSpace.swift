// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Room on the file system that holds a path, in bytes.
public struct DiskSpace: Sendable {
    public let total: UInt64
    /// What an ordinary user may still write: the root reserve is not counted.
    public let available: UInt64
    public let used: UInt64

    public static func at(_ path: FilePath) throws(SystemError) -> DiskSpace {
        var status = statvfs()
        try retryingInterrupts("statvfs", path.string) { path.withCString { statvfs($0, &status) } }
        let unit = UInt64(status.f_frsize)
        return DiskSpace(
            total: UInt64(status.f_blocks) * unit,
            available: UInt64(status.f_bavail) * unit,
            used: UInt64(status.f_blocks - status.f_bfree) * unit)
    }

    /// As `df` computes it: used of used and available, rounded up.
    public var usePercentage: Int {
        let base = used + available
        return base == 0 ? 0 : Int((used * 100 + base - 1) / base)
    }
}
