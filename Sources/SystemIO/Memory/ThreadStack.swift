// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The stack of the thread that asks.
package enum ThreadStack {
    /// Gives what an earlier, deeper call needed back to the system (madvise(2)): a thread that waits for months would keep it.
    /// - Parameters:
    ///   - kept: bytes below here that stay, for the next call as deep as most.
    ///   - bytes: how many below these go. There must be as many: the stack is larger than what is used of it, `kept` and this together.
    package static func giveBack(keeping kept: Int, below bytes: Int) {
        clinux_give_back_stack(max(kept, 4096), max(bytes, 0))
    }
}
