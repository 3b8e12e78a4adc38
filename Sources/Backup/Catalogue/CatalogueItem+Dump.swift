// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

extension CatalogueItem {
    /// What the dump in it takes when it is unpacked, by the backup's index, without reading anything else.
    struct DumpSize: Equatable {
        /// Bytes.
        var bytes: UInt64 = 0
        var files: UInt64 = 0
    }

    /// - Returns: `nil` where it has no index of ours.
    /// - Throws: `ArchiveError`, `SystemError`.
    func dumpSize() throws -> DumpSize? {
        let records: RecordStream
        do {
            records = try kind == .compressed ? RecordStream(archive: path) : RecordStream(folder: path)
        } catch ArchiveError.truncated { return nil }
        var size = DumpSize()
        // The dump comes first.
        while let record = try records.next(),
            record.entry.path == .database || record.entry.path.relative(to: .database) != nil
        {
            size.files += 1
            size.bytes = size.bytes.adding(clamped: record.entry.size)
        }
        return size
    }
}
