// SPDX-License-Identifier: Apache-2.0

import Synchronization
import SystemIO

/// The bytes of a file on their way to a client.
///
/// Read and not sent by the kernel: to libmicrohttpd an end of the file before its time is "try again", with which `sendfile` kept a core
/// busy for as long as the client stayed.
final class FileSource: BodySource {
    private let file: OpenFile
    private let offset: Atomic<UInt64>

    /// `nil` where the file was handed over before.
    init?(_ file: OwnedDescriptor, from offset: UInt64) {
        guard let descriptor = file.take() else { return nil }
        self.file = OpenFile(adopting: descriptor, path: "a file that is sent")
        self.offset = Atomic(offset)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try file.read(into: buffer, at: offset.load(ordering: .relaxed))
        offset.add(UInt64(count), ordering: .relaxed)
        return count
    }
}
