// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A ping that was not taken when its process ended, in the state folder: a running service goes on trying, and says why in `/health`.
struct UntakenPing: Sendable, Codable {
    var sign: PingURL.Sign
    var text: String
    /// Seconds since 1970 UTC.
    var written: Int64
    var reason: AlarmBook.Words

    private static func path(in state: FilePath) -> FilePath { state.appending("ping.json") }

    /// - Returns: `nil` where there is none, where it cannot be read, and where the disk does not answer.
    static func read(in state: FilePath) -> UntakenPing? {
        do { try FolderPulse.refuseSilence(of: state) } catch { return nil }
        return StateRecord.read(UntakenPing.self, at: path(in: state))
    }

    /// The newest one takes the place of any before it.
    func write(in state: FilePath) throws {
        try FolderPulse.refuseSilence(of: state)
        try StateRecord.write(self, to: Self.path(in: state))
    }

    /// - Returns: whether none is left.
    static func remove(in state: FilePath) -> Bool {
        do {
            try FolderPulse.refuseSilence(of: state)
            try Directory.remove(path(in: state))
            return true
        } catch { return error.isNotFound }
    }
}
