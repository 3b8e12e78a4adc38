// SPDX-License-Identifier: Apache-2.0

import Archive
import MLflowStore
import SystemIO
import Wording

/// What can be told of newer data before anything is unpacked. It refuses early only what the comparison of contents
/// (`LiveComparison`) would refuse later, and lets through what only that one can see.
struct QuickCheck {
    private let stack: LiveStack
    private let deadline: Double
    private let cancellation: Cancellation
    private let start = MonotonicTime.nanoseconds()

    private var secondsLeft: Double { max(0.1, deadline - MonotonicTime.seconds(since: start)) }

    /// So many new files are enough to be refused for.
    private static let mostFiles = 100

    /// - Parameter seconds: what is not found out by then is left to the comparison.
    init(_ stack: LiveStack, atMost seconds: Double = .infinity, cancellation: Cancellation = Cancellation()) {
        self.stack = stack
        deadline = seconds
        self.cancellation = cancellation
    }

    /// - Throws: `BackupError.newerData`, which names what was found.
    func run(against manifest: Manifest, _ item: CatalogueItem, mode: RestoreMode) throws {
        var findings: [BilingualText] = []
        if mode.includesDatabase, let live = try stack.database.survey(atMost: secondsLeft, cancellation) {
            findings += live.beyond(
                StoreSurvey(
                    revision: manifest.mlflow.alembicRevision, rows: manifest.database.rows,
                    newest: manifest.database.newest, schema: manifest.database.schema ?? StoreSchema.usual))
        }
        if mode.includesArtifacts {
            findings += try unknown(newerFiles(than: manifest.artifacts.walkStarted), to: item).map { file in
                BilingualText(
                    zh: "artifacts 中有备份所没有的文件 \(file.path)（\(file.time.iso)）",
                    en: "the backup does not have the file \(file.path) (\(file.time.iso))")
            }
        }
        if !findings.isEmpty { throw BackupError.newerData(backup: item.name.string, newer: NewerData(findings)) }
    }

    private struct NewFile {
        let path: EntryPath
        let size: UInt64
        let time: LocalTime
    }

    private var isOver: Bool { MonotonicTime.seconds(since: start) > deadline }

    /// Live files whose times are newer than the walk of the backup. They may hold what it has all the same: a file that was
    /// written again with the same bytes, or touched.
    private func newerFiles(than walkStarted: Int64) throws -> [NewFile] {
        guard let root = try folderIfPresent() else { return [] }
        var found: [NewFile] = []
        var walk = try TreeWalk(root: root, prefix: nil, ignoring: LiveStack.notArtifacts)
        while found.count < Self.mostFiles, !isOver, let step = try walk.next() {
            try cancellation.check()
            if case .entry(let entry, _, _) = step, entry.kind == .file, entry.modified.seconds > walkStarted {
                found.append(
                    NewFile(path: entry.path, size: entry.size, time: LocalTime(epoch: entry.modified.seconds)))
            }
        }
        return found
    }

    /// Those of them that the backup has not, or in another size; none where there was no time to look through it.
    private func unknown(_ files: [NewFile], to item: CatalogueItem) throws -> [NewFile] {
        guard !files.isEmpty else { return [] }
        var open = Dictionary(files.map { ($0.path, $0) }) { first, _ in first }
        do {
            let records = try BackupContents(item).records()
            while let record = try records.next() {
                try cancellation.check()
                if isOver { return [] }
                guard let path = record.entry.path.relative(to: stack.section), let file = open[path] else { continue }
                if case .file = record.entry.kind, record.entry.size != file.size { continue }
                open[path] = nil
            }
        } catch  where error.isDamage {
            // Without an index of ours, or with a damaged one: the restore itself says what is wrong with it.
            return []
        }
        return files.filter { open[$0.path] != nil }
    }

    private func folderIfPresent() throws -> OpenFile? {
        do throws(SystemError) { return try OpenFile(stack.artifacts, .directoryThroughLink) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
