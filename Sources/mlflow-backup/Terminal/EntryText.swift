// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import FoundationEssentials
import SystemIO

/// Entries of a backup as lines of text or of JSON.
enum EntryText {
    /// A name in a line of its own.
    static func printable(_ path: EntryPath) -> String { printable(path.bytes) }

    private static func printable(_ bytes: [UInt8]) -> String { Printable.text(String(decoding: bytes, as: UTF8.self)) }

    static func line(_ record: ArchiveIndex.Record, isLong: Bool) -> String {
        let entry = record.entry
        let time = LocalTime(epoch: entry.modified.seconds).iso
        let size = String(entry.size)
        let kind = kind(entry)
        let padded = String(repeating: " ", count: max(0, 14 - size.count)) + size
        var target = ""
        switch entry.kind {
        case .symbolicLink(let bytes): target = " -> " + printable(bytes)
        case .hardLink(let path): target = " = " + printable(path)
        case .file, .directory: break
        }
        guard isLong else { return "\(padded)  \(time)  \(printable(entry.path))\(target)" }
        let digest = record.digest?.hex ?? String(repeating: "-", count: 64)
        return
            "\(kind) \(String(entry.mode, radix: 8)) \(padded)  \(time)  \(digest)  \(printable(entry.path))\(target)"
    }

    static func json(_ record: ArchiveIndex.Record) -> String { encoded(Row(record, change: nil, before: nil)) }

    static func json(_ change: ArchiveDiff.Change) -> String {
        switch change {
        case .added(let record): encoded(Row(record, change: "added", before: nil))
        case .removed(let record): encoded(Row(record, change: "removed", before: nil))
        case .changed(let old, let new): encoded(Row(new, change: "changed", before: old.entry.size))
        }
    }

    private static func kind(_ entry: ArchiveEntry) -> String {
        switch entry.kind {
        case .file: "f"
        case .directory: "d"
        case .symbolicLink: "l"
        case .hardLink: "h"
        }
    }

    private static func encoded(_ row: Row) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(row) else { preconditionFailure("plain values always encode") }
        return String(decoding: data, as: UTF8.self)
    }

    private struct Row: Encodable {
        let change: String?
        let path: String
        let type: String
        let size: UInt64
        let size_before: UInt64?
        let mode: String
        let modified_at: String
        let sha256: String?

        init(_ record: ArchiveIndex.Record, change: String?, before: UInt64?) {
            self.change = change
            path = record.entry.path.description
            type = EntryText.kind(record.entry)
            size = record.entry.size
            size_before = before
            mode = String(record.entry.mode, radix: 8)
            modified_at = LocalTime(epoch: record.entry.modified.seconds).iso
            sha256 = record.digest?.hex
        }
    }
}
