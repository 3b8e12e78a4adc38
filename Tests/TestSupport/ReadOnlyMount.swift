// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A folder that is mounted over itself and can only be read.
package enum ReadOnlyMount {
    /// Takes two steps, and the second one fails where somebody opens a file to write after the first (EBUSY, mount(2)): a service at work
    /// does so now and then.
    package static func make(over folder: FilePath) throws {
        var attempt = 1
        while true {
            do {
                try Shell.sh(
                    """
                    mount --bind '\(folder)' '\(folder)'
                    mount -o remount,bind,ro '\(folder)' || { umount -l '\(folder)'; exit 1; }
                    """)
                return
            } catch {
                guard attempt < 30 else { throw error }
                attempt += 1
                usleep(200_000)
            }
        }
    }
}
