// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import SystemIO

/// The bytes of a file on their way to a client.
///
/// Read and not sent by the kernel: to libmicrohttpd an end of the file before its time is "try again", with which `sendfile` kept a core
/// busy for as long as the client stayed.
final class FileSource: BodySource {
    private let descriptor: Int32
    private let offset: Atomic<UInt64>

    /// `nil` where the file was handed over before.
    init?(_ file: OwnedDescriptor, from offset: UInt64) {
        guard let descriptor = file.take() else { return nil }
        self.descriptor = descriptor
        self.offset = Atomic(offset)
    }

    deinit { close(descriptor) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let start = offset.load(ordering: .relaxed)
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(clamping: start))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read", path: "a file that is sent", code: errno) }
            offset.store(start + UInt64(count), ordering: .relaxed)
            return count
        }
    }
}
