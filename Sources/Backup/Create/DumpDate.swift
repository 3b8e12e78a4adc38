// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// The one thing in a dump that differs although the database does not: `toc.dat` says when it was made.
enum DumpDate {
    private static let name = "toc.dat"

    /// Gives a fresh dump the table of contents of the dump before where they differ in nothing but that date, so that
    /// an unchanged database makes an unchanged dump. The manifest says when the backup was made.
    static func carryOver(from item: CatalogueItem, into dump: FilePath) throws {
        let file = dump.appending(name)
        // Others than those of pg_dump have none.
        guard item.kind == .compressed, try FileStatus.ifPresent(file) != nil else { return }
        let path = EntryPath.database.appending(name: Array(name.utf8))
        guard let before = try IndexedArchive(item.path).content(of: path) else { return }
        let now = try OpenFile(file, .readNoFollow).readAll()
        guard now != before, differOnlyInDate(now, before) else { return }
        try DurableFile.replace(file, with: before, mode: try FileStatus.of(file).mode)
    }

    /// The header of a PostgreSQL archive (pg_backup_archiver.c, `ReadHead`): "PGDMP", the version in three bytes, the
    /// sizes of integer and offset, the format, since 1.15 the compression algorithm, before it a compression level,
    /// then second, minute, hour, day, month, year and daylight saving as integers: a sign byte and `intSize` bytes.
    static func differOnlyInDate(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard let date = date(in: one), date == self.date(in: other), one.count == other.count else { return false }
        return one[..<date.lowerBound] == other[..<date.lowerBound]
            && one[date.upperBound...] == other[date.upperBound...]
    }

    private static func date(in toc: [UInt8]) -> Range<Int>? {
        guard toc.count > 64, toc.starts(with: "PGDMP".utf8), toc[5] == 1 else { return nil }
        let integer = Int(toc[8]) + 1
        guard (2...9).contains(integer) else { return nil }
        // Byte 10 is the format; the compression follows it.
        let start = 11 + (toc[6] >= 15 ? 1 : integer)
        let range = start..<(start + 7 * integer)
        return range.upperBound < toc.count ? range : nil
    }
}
