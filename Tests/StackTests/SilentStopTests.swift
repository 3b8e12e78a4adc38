// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

/// A stop while the disk of the backups does not answer. It takes more than a minute, in which nothing runs.
@Suite(.besideThePool) struct SilentStopTests {
    @Test("A service whose backup waits for a hung disk gives up waiting after a stop, and says why")
    func hungDisk() throws {
        try MountedFileSystem.Kind.sshfs.mustBeHere()
        let stack = try TestStack("silent-stop")
        let mounted = try MountedFileSystem(.sshfs)
        try stack.scriptsUp(["--stop"])
        try Shell.sh(
            "cp -a '\(stack.backups)'/. '\(mounted.path)' && mount --bind '\(mounted.path)' '\(stack.backups)'")
        defer {
            _ = try? mounted.setSilent(false)
            _ = try? Shell.sh("umount -l '\(stack.backups)'")
        }
        try Shell.sh("mkdir -p '\(stack.artifacts)/0' && head -c 500M /dev/urandom >'\(stack.artifacts)/0/large'")
        try stack.up()
        let service = try Shell.sh("cut -d' ' -f1 '\(stack.data)/run/backup.pid'")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try Curl.get("\(stack.backupURL)/backups", "-X", "POST").status == 202)
        try Patience.wait("the archive to grow") {
            try Shell.sh("find '\(stack.backups)' -name '*.partial' -size +1M").isEmpty == false
        }
        try mounted.setSilent(true)
        try Shell.sh("kill -TERM \(service)")
        let start = MonotonicTime.nanoseconds()
        // Thirty seconds for the backup, forty-five for all else that a stop waits for.
        try Patience.wait("the service to give up", atMost: 120) {
            try Shell.sh("cat '\(stack.data)/logs/backup.log'").contains("something does not answer")
        }
        #expect(MonotonicTime.seconds(since: start) > 30)
        // The kernel keeps a thread that waits for FUSE, and with it the process, until that is answered; of a whole stop there would be more to wait for.
        try mounted.setSilent(false)
        try Patience.wait("the service to end") { kill(try #require(pid_t(service)), 0) != 0 }
    }
}
