// SPDX-License-Identifier: Apache-2.0

/// Bytes at a fixed place, for an answer that goes to many connections at once: none has a copy of its own.
package final class SharedBytes: Sendable {
    /// Never written to after `init`, so that any thread may read it.
    nonisolated(unsafe) let buffer: UnsafeRawBufferPointer

    package init(_ bytes: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        copy.copyBytes(from: bytes)
        buffer = UnsafeRawBufferPointer(copy)
    }

    deinit { buffer.deallocate() }

    package var bytes: [UInt8] { Array(buffer) }

    package func holds(_ bytes: [UInt8]) -> Bool { buffer.elementsEqual(bytes) }
}
