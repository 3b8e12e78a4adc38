// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Who this process runs as.
public enum ProcessPrivilege {
    public static var isRoot: Bool { geteuid() == 0 }

    /// Whether no mode and no list keeps this thread from reading a file: root may have been left without that right
    /// (capabilities(7): CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, bits 1 and 2).
    public static var readsEverything: Bool {
        guard let file = try? OpenFile("/proc/thread-self/status", .read), let text = try? file.readAll() else {
            return false
        }
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        guard let line, let set = UInt64(line.dropFirst(7).trimmingPrefix { $0.isWhitespace }, radix: 16) else {
            return false
        }
        return set & 0b110 != 0
    }
}
