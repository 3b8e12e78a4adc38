// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

extension OpenFile {
    /// Whether what a listing of attributes says is that this file system keeps none. Programs of FUSE that do not know the
    /// call say EIO (rclone 1.60), which is damage anywhere else.
    func saysNoAttributes(_ code: Int32) -> Bool {
        [EOPNOTSUPP, ENOSYS].contains(code) || code == EIO && clinux_file_system_type(descriptor) == Self.fuse
    }

    /// FUSE_SUPER_MAGIC, statfs(2).
    private static let fuse: UInt64 = 0x6573_5546
}
