// SPDX-License-Identifier: Apache-2.0

/// Memory at the start of a page, as reads and writes around the page cache want it. One owner uses it again and
/// again: fresh memory costs a page fault for every 4 KiB.
package final class PageBuffer {
    package private(set) var bytes: UnsafeMutableRawBufferPointer

    /// What O_DIRECT wants addresses, offsets and lengths to be multiples of, in bytes, on every disk we know.
    package static let alignment = 4096

    package init(count: Int = 0) {
        bytes = .allocate(byteCount: max(count, Self.alignment), alignment: Self.alignment)
    }

    deinit { bytes.deallocate() }

    /// Makes room for at least `count` bytes. What was in it is lost.
    package func reserve(_ count: Int) {
        guard bytes.count < count else { return }
        bytes.deallocate()
        bytes = .allocate(byteCount: count, alignment: Self.alignment)
    }
}
