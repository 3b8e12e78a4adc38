// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// Backups as the product lays them out, without a database behind them.
enum Backups {
    static let manifest = Array("{\"version\":1}\n".utf8)

    /// Writes `database/toc.dat`, the tree and the manifest.
    @discardableResult
    static func write(
        _ tree: FilePath, with writer: any ArchiveWriter
    ) throws -> (summary: ArchiveSummary, report: TreeArchiver.Report) {
        let then = FileTime(seconds: 1_700_000_000)
        try writer.add(ArchiveEntry(path: .database, kind: .directory, mode: 0o755, modified: then))
        try writer.add(
            ArchiveEntry(path: try path("database/toc.dat"), kind: .file, mode: 0o644, modified: then),
            bytes: Array("PGDMP".utf8))
        try writer.endSection()
        let report = try TreeArchiver(into: writer).add(tree: tree, as: .artifacts)
        try writer.endSection()
        try writer.add(ArchiveEntry(path: .manifest, kind: .file, mode: 0o644, modified: then), bytes: manifest)
        return (try writer.finish(), report)
    }

    @discardableResult
    static func archive(
        _ tree: FilePath, to path: FilePath, threads: Int = 2
    ) throws -> (summary: ArchiveSummary, report: TreeArchiver.Report) {
        try write(tree, with: TarGzipWriter(creating: path, threads: threads))
    }

    /// A small tree whose archive has many members of every kind, about 100 KB in all.
    static func makeManyMembers(_ root: FilePath) throws {
        var random = SeededRandom(7)
        try Directory.make(root)
        let unit = random.text(1 << 16)
        func repeated(_ count: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            while bytes.count < count { bytes += unit }
            return Array(bytes.prefix(count))
        }
        for (name, size) in [("a", 9 << 20), ("f", (4 << 20) + 1), ("p", (4 << 20) + 512)] {
            try OpenFile(root.appending(name), .createNew(mode: 0o644)).write(repeated(size))
        }
        for name in ["b", "c", "g", "h", "i", "q"] {
            try OpenFile(root.appending(name), .createNew(mode: 0o644)).write(repeated(700_000) + random.noise(700))
        }
        let folder = root.appending("z")
        try Directory.make(folder)
        for number in 0..<20 {
            try OpenFile(folder.appending("\(number)"), .createNew(mode: 0o644)).write(random.noise(300))
        }
    }

    static func path(_ text: String) throws -> EntryPath {
        guard let path = EntryPath(text) else { throw BadPath(text: text) }
        return path
    }

    struct BadPath: Error { let text: String }

    /// Restores the artifacts into a new folder.
    static func extract(_ reader: any ArchiveReader, into destination: FilePath) throws -> Extractor.Outcome {
        try Directory.make(destination, mode: 0o700)
        return try Extractor([.init(.artifacts, into: destination)]).extract(reader)
    }
}

/// The case of an `ArchiveError`, without its texts.
enum Refusal: String, Sendable {
    case damaged, truncated, notABackup, unsafeEntry, unreadable, nothingToBackUp, previousDamaged, compression,
        newerFormat

    init?(_ error: any Error) {
        guard let error = error as? ArchiveError else { return nil }
        switch error {
        case .damaged: self = .damaged
        case .truncated: self = .truncated
        case .notABackup: self = .notABackup
        case .unsafeEntry: self = .unsafeEntry
        case .unreadable: self = .unreadable
        case .nothingToBackUp: self = .nothingToBackUp
        case .previousDamaged: self = .previousDamaged
        case .compression: self = .compression
        case .newerFormat: self = .newerFormat
        }
    }

    /// What `body` was refused for; `nil` where it was not refused.
    static func of(_ body: () throws -> Void) throws -> Refusal? {
        do {
            try body()
            return nil
        } catch {
            guard let refusal = Refusal(error) else { throw error }
            return refusal
        }
    }
}
