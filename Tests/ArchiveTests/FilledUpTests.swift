// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import TestSupport
import Testing

@Suite("An object that ended early is filled up, and what the store said of it proves nothing later", .besideThePool)
struct FilledUpTests {
    @Test("small and large, in an archive and in a folder", arguments: [5000, 9 << 20], [false, true])
    func filledUp(size: Int, isFolder: Bool) throws {
        let folder = try TemporaryFolder("filled-up")
        let path = folder.path.appending("backup")
        let writer: any ArchiveWriter =
            isFolder
            ? try FolderWriter(creating: path, hasObjects: true)
            : try TarGzipWriter(creating: path, level: 1, threads: 2, hasObjects: true)
        func entry(_ name: String) throws -> ArchiveEntry {
            var entry = ArchiveEntry(
                path: try #require(EntryPath("artifacts-media/\(name)")), kind: .file, mode: 0o644,
                modified: FileTime(seconds: 1_790_000_000))
            entry.size = UInt64(size)
            entry.object = .init(tag: "etag-\(name)", unit: 1)
            return entry
        }
        func content(of length: Int) -> ContentSource {
            var rest = length
            return { buffer in
                let count = min(rest, buffer.count)
                rest -= count
                UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]).initializeMemory(as: UInt8.self, repeating: 7)
                return count
            }
        }
        #expect(try writer.add(entry("short"), content: content(of: size - 10)) == 10)
        #expect(try writer.add(entry("whole"), content: content(of: size)) == 0)
        try writer.endSection()
        _ = try writer.finish()
        let records = try isFolder ? RecordStream(folder: path) : RecordStream(archive: path)
        var tags: [String: String] = [:]
        while let record = try records.next() {
            guard case .file = record.entry.kind, let name = "\(record.entry.path)".split(separator: "/").last else {
                continue
            }
            tags[String(name)] = record.entry.object?.tag ?? "none"
        }
        #expect(tags["short"] == "none" && tags["whole"] == "etag-whole", "\(tags)")
    }
}
