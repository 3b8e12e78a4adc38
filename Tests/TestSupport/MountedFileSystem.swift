// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A file system of one test, in a file in memory or behind a program of FUSE, and gone with the last reference.
package final class MountedFileSystem: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case ext4, xfs, btrfs, exfat, ntfs, sshfs, rclone
        /// Whose folders are in the lower layer.
        case overlay

        /// What this machine lacks for it; `nil` where it can be made.
        package var missing: String? {
            guard geteuid() == 0 else { return "mounting needs root" }
            guard !TestForm.isQuick else { return "scripts/test --quick mounts none" }
            for program in programs where !Self.isThere(program) { return "\(program) is not installed" }
            if isFuse, !Self.isThere("/dev/fuse") { return "there is no /dev/fuse" }
            return nil
        }

        private var isFuse: Bool { [.exfat, .ntfs, .sshfs, .rclone].contains(self) }

        private var programs: [String] {
            switch self {
            case .ext4: ["/sbin/mkfs.ext4"]
            case .xfs: ["/sbin/mkfs.xfs"]
            case .btrfs: ["/sbin/mkfs.btrfs"]
            case .exfat: ["/sbin/mkfs.exfat", "/sbin/mount.exfat-fuse"]
            case .ntfs: ["/sbin/mkfs.ntfs", "/usr/bin/ntfs-3g"]
            case .sshfs: ["/usr/bin/sshfs", "/usr/lib/openssh/sftp-server"]
            case .rclone: ["/usr/bin/rclone"]
            case .overlay: []
            }
        }

        private static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }
    }

    package let kind: Kind
    /// Where it is mounted.
    package let path: FilePath
    private let folder: TemporaryFolder

    /// - Parameter content: for an overlay, a folder that is its lower layer.
    package init(_ kind: Kind, lower content: FilePath? = nil) throws {
        self.kind = kind
        folder = try TemporaryFolder("mount", in: "/dev/shm")
        path = folder.path.appending("m")
        try Directory.make(path)
        try Shell.sh("cd '\(folder.path)' && \(Self.script(kind, lower: content))")
    }

    private static func script(_ kind: Kind, lower: FilePath?) -> String {
        switch kind {
        case .ext4: "truncate -s 64M i && mkfs.ext4 -q -F i && mount -o loop i m"
        case .xfs: "truncate -s 320M i && mkfs.xfs -q -m reflink=1 i && mount -o loop i m"
        case .btrfs: "truncate -s 128M i && mkfs.btrfs -q i && mount -o loop i m"
        // The loop device goes by itself when it is unmounted.
        case .exfat:
            "truncate -s 64M i && mkfs.exfat i >log && l=$(losetup -f --show i) && { mount.exfat-fuse $l m >log; losetup -d $l; }"
        case .ntfs: "truncate -s 64M i && mkfs.ntfs -Q -F i >log 2>&1 && ntfs-3g i m"
        case .sshfs:
            "mkdir r && printf '#!/bin/sh\\necho $$ >%s/pid\\nexec /usr/lib/openssh/sftp-server\\n' \"$PWD\" >s && chmod 755 s && sshfs -o ssh_command=\"$PWD/s\" x:\"$PWD/r\" m"
        case .rclone: "mkdir r c && rclone --config /dev/null --cache-dir c mount r m --daemon --vfs-cache-mode full"
        case .overlay:
            "mkdir u w && mount -t overlay overlay -o lowerdir='\(lower?.string ?? "m")',upperdir=u,workdir=w m"
        }
    }

    /// Without its content being gone: as after a restart of the machine.
    package func remount() throws {
        try Shell.sh("cd '\(folder.path)' && umount m")
        switch kind {
        case .ext4, .xfs, .btrfs: try Shell.sh("cd '\(folder.path)' && mount -o loop i m")
        case .ntfs: try Shell.sh("cd '\(folder.path)' && ntfs-3g i m")
        default: preconditionFailure("no test mounts \(kind) again")
        }
    }

    /// Of an sshfs: the server stands still, so that nothing is answered, or goes on.
    package func setSilent(_ isSilent: Bool) throws {
        try Shell.sh("kill -\(isSilent ? "STOP" : "CONT") $(cat '\(folder.path)/pid')")
    }

    /// Of an sshfs: its server is gone.
    package func breakOff() throws { try Shell.sh("kill -KILL $(cat '\(folder.path)/pid')") }

    deinit { _ = try? Shell.sh("umount '\(path)' || umount -l '\(path)'") }
}
