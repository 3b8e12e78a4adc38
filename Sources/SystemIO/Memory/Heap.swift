// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The C library's allocator, which Swift's objects live in, too.
package enum Heap {
    /// For a process that runs for months with a thread for each of many connections (mallopt(3)): by itself glibc gives threads sixteen arenas on two
    /// cores, each of which keeps what it ever needed, and from the first large block that is freed on keeps those, too. Call it before there are threads.
    ///
    /// Large blocks come from the system then and go back to it, which costs a backup of nothing but new data a tenth of its time.
    package static func keepSmall() { clinux_keep_heap_small() }

    /// Gives whole pages that nothing lives in back to the system (malloc_trim(3)): glibc keeps what was freed in the midst of an arena for good.
    package static func giveBackFreePages() { clinux_give_back_free_pages() }
}
