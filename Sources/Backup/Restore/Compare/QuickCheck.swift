// SPDX-License-Identifier: Apache-2.0

import Archive
import MLflowStore
import Postgres
import SystemIO
import Wording

/// What can be told of newer data before anything is unpacked: by counts and times. It refuses early what the comparison
/// of contents (`LiveComparison`) would refuse later, and lets through what only that one can see.
struct QuickCheck {
    private let stack: LiveStack
    private let seconds: Double
    private let cancellation: Cancellation

    /// - Parameter seconds: the walk over the files ends after that, as if there were no more.
    init(_ stack: LiveStack, atMost seconds: Double = .infinity, cancellation: Cancellation = Cancellation()) {
        self.stack = stack
        self.seconds = seconds
        self.cancellation = cancellation
    }

    /// - Throws: `BackupError.newerData`, which names everything that was found.
    func run(against manifest: Manifest, backup: String, mode: RestoreMode) throws {
        var findings: [BilingualText] = []
        if mode.includesDatabase, let live = try surveyLiveDatabase() {
            findings += live.beyond(
                StoreSurvey(
                    revision: manifest.mlflow.alembicRevision, rows: manifest.database.rows,
                    newest: manifest.database.newest))
        }
        if mode.includesArtifacts, let file = try newerArtifact(than: manifest.artifacts.walkStarted) {
            findings.append(
                BilingualText(
                    zh: "artifacts 中有备份之后写入的文件，例如 \(file.path)（\(file.time.iso)）",
                    en: "the artifacts hold files written after the backup, such as \(file.path) (\(file.time.iso))"))
        }
        if !findings.isEmpty { throw BackupError.newerData(backup: backup, newer: NewerData(findings)) }
    }

    /// `nil` where there is no live database to lose.
    private func surveyLiveDatabase() throws -> StoreSurvey? {
        guard try Databases(stack.database).exists(stack.database.database) else { return nil }
        let snapshot = try ExportedSnapshot(of: stack.database)
        defer { snapshot.release() }
        return try StoreSurvey(snapshot, cancellation: cancellation)
    }

    /// The first live file whose content is newer than the walk of the backup. Stops at the first.
    private func newerArtifact(than walkStarted: Int64) throws -> (path: EntryPath, time: LocalTime)? {
        guard let root = try folderIfPresent() else { return nil }
        let start = MonotonicTime.nanoseconds()
        var walk = try TreeWalk(root: root, prefix: nil, ignoring: LiveStack.notArtifacts)
        while let step = try walk.next() {
            try cancellation.check()
            if MonotonicTime.seconds(since: start) > seconds { return nil }
            if case .entry(let entry, _, _) = step, entry.kind == .file, entry.modified.seconds > walkStarted {
                return (entry.path, LocalTime(epoch: entry.modified.seconds))
            }
        }
        return nil
    }

    private func folderIfPresent() throws -> OpenFile? {
        do throws(SystemError) { return try OpenFile(stack.artifacts, .directory) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
