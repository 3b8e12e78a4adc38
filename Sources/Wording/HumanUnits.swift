// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Sizes and durations as a person reads them.
package enum HumanUnits {
    /// `15.2MB`, as the guide's `size` field shows it. Powers of 1024, one decimal from KB up.
    package static func size(_ bytes: UInt64) -> String {
        let units = ["B", "KB", "MB", "GB", "TB", "PB"]
        guard bytes >= 1024 else { return "\(bytes)B" }
        var tenths = Double(bytes)
        var unit = 0
        while tenths >= 1023.95, unit < units.count - 1 {
            tenths /= 1024
            unit += 1
        }
        let rounded = Int((tenths * 10).rounded())
        return "\(rounded / 10).\(rounded % 10)\(units[unit])"
    }

    /// What is needed and what there is, in the form of `size`: the first rounded up and the second down, so that what does not
    /// fit never reads as if it did.
    package static func sizes(needed: UInt64, available: UInt64) -> (needed: String, available: String) {
        (tenths(needed, roundingUp: true), tenths(available, roundingUp: false))
    }

    private static func tenths(_ bytes: UInt64, roundingUp: Bool) -> String {
        guard bytes >= 1024 else { return "\(bytes)B" }
        for (power, unit) in ["KB", "MB", "GB", "TB", "PB"].enumerated() {
            let shift = UInt64(10 * (power + 1))
            let (whole, rest) = (bytes >> shift, bytes & (1 << shift - 1))
            // Tenths of the rest, whose bits are at most 50.
            let scaled = rest * 10
            let tenths = whole * 10 + (scaled >> shift) + (roundingUp && scaled & (1 << shift - 1) > 0 ? 1 : 0)
            if tenths < 10240 || unit == "PB" { return "\(tenths / 10).\(tenths % 10)\(unit)" }
        }
        return "\(bytes)B"
    }

    /// `45G`, as the guide's `disk_usage` shows it and as `df -h` rounds: upwards, powers of 1024.
    package static func diskSize(_ bytes: UInt64) -> String {
        let units = ["", "K", "M", "G", "T", "P"]
        var value = Double(bytes)
        var unit = 0
        // Rounded first: 1023.5M would otherwise show as 1024M and not as 1.0G.
        while value.rounded(.up) >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded(.up))
        if unit > 0, tenths < 100 { return "\(tenths / 10).\(tenths % 10)\(units[unit])" }
        return "\(Int(value.rounded(.up)))\(units[unit])"
    }

    /// `2m 15s`; below one second in milliseconds.
    package static func duration(seconds: Double) -> String {
        // Some come out of files; a billion are thirty years.
        let seconds = seconds.isNaN ? 0 : min(max(seconds, 0), 1e9)
        if seconds < 1 { return "\(Int((seconds * 1000).rounded()))ms" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole)s" }
        if whole < 3600 { return "\(whole / 60)m \(whole % 60)s" }
        return "\(whole / 3600)h \(whole % 3600 / 60)m"
    }
}
