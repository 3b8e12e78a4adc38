// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Who this process runs as.
public enum ProcessPrivilege {
    public static var isRoot: Bool { geteuid() == 0 }
}
