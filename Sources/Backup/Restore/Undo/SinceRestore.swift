// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

/// What came into the live stack after the restore that an undo takes back: rows written, files changed. What the restore
/// itself brought is in its backup, and is not asked about.
final class SinceRestore: LastLook {
    private let workspace: Workspace
    private let part: KeptPart
    private let rows: (any StoreLook)?
    private(set) var moment: String?
    /// Of the files that were looked at last.
    private(set) var overwritten: SharedFiles.Overwritten?

    /// - Parameter rows: of the database, where the part has one.
    init(_ workspace: Workspace, _ part: KeptPart, _ rows: (any StoreLook)? = nil) {
        self.workspace = workspace
        self.part = part
        self.rows = rows
    }

    /// While everybody works.
    func first() throws -> NewerData {
        guard let rows else { return try files() }
        return Self.told(try rows.first { _, _, _ in }) + (try files())
    }

    func last() throws -> NewerData {
        let files = try files()
        guard let rows else { return files }
        let written = try rows.last()
        moment = written.moment
        return Self.told(written.findings) + files
    }

    func swap() throws { try rows?.swap() }

    func close() { rows?.close() }

    private static func told(_ findings: StoreFindings?) -> NewerData {
        guard let findings else {
            return NewerData([
                BilingualText(
                    zh: "数据库在恢复之后的写入已无法判断",
                    en: "what was written to the database after the restore cannot be told any more")
            ])
        }
        return NewerData(findings)
    }

    private func files() throws -> NewerData {
        guard part.mode.includesArtifacts else { return NewerData() }
        guard let mark = part.mark else {
            // Of 0.1.0, or of a restore whose journal was lost.
            return NewerData([
                BilingualText(
                    zh: "恢复之后写入的文件已无法判断", en: "which files were written after the restore cannot be told any more")
            ])
        }
        do {
            let since = try FilesSince(workspace, part, since: mark)
            overwritten = since.overwritten
            return try since.find()
        } catch let silent as RestoredRecords.Silent {
            return NewerData([
                BilingualText(
                    zh: "恢复之后写入的文件已无法判断，因为所恢复的备份无法读取（\(silent.reason[.chinese])）",
                    en:
                        "which files were written after the restore cannot be told any more, since the backup that was restored "
                        + "cannot be read (\(silent.reason[.english]))")
            ])
        }
    }
}
