// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Names one process for ever: a pid alone is given out again.
package struct ProcessIdentity: Sendable, Equatable, Codable {
    package let pid: Int32
    /// Start time in clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)).
    package let startTicks: UInt64
    /// `/proc/sys/kernel/random/boot_id`.
    package let boot: String
    /// Inode of `/proc/PID/ns/pid`: in another container a pid names another process, or none. Not known of processes
    /// that versions before this one wrote down.
    package internal(set) var namespace: UInt64?

    package static func current() -> ProcessIdentity {
        ProcessIdentity(
            pid: getpid(), startTicks: startTicks(of: getpid()) ?? 0, boot: bootIdentity(),
            namespace: currentNamespace())
    }

    /// Whether that very process still runs. One in another container is not seen from here, and looks as if it did not.
    package var isAlive: Bool { boot == Self.bootIdentity() && Self.startTicks(of: pid) == startTicks }

    /// Whether that process has ended for certain: it would be seen from here if it still ran.
    package var hasEndedHere: Bool {
        namespace != nil && namespace == Self.currentNamespace() && boot == Self.bootIdentity() && !isAlive
    }

    private static func currentNamespace() -> UInt64? {
        var status = stat()
        return stat("/proc/self/ns/pid", &status) == 0 ? UInt64(status.st_ino) : nil
    }

    private static func startTicks(of pid: Int32) -> UInt64? {
        guard let file = try? OpenFile(FilePath("/proc/\(pid)/stat"), .read),
            let bytes = try? file.readAll(limit: 4096),
            // The command name, field 2, may hold spaces and parentheses: count from the last one.
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        // A zombie has ended; only its parent has not asked yet.
        guard let state = fields.first, !state.elementsEqual("Z".utf8), !state.elementsEqual("X".utf8) else {
            return nil
        }
        return fields.count > 19 ? UInt64(String(decoding: fields[19], as: UTF8.self)) : nil
    }

    private static func bootIdentity() -> String {
        guard let file = try? OpenFile("/proc/sys/kernel/random/boot_id", .read),
            let bytes = try? file.readAll(limit: 64)
        else { return "" }
        return String(decoding: bytes.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
