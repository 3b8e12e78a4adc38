// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

/// `doctor`: whether a backup could be made now, and what the backup folder is good for.
enum DoctorCommand: Command {
    static let definition = CommandDefinition(
        "doctor",
        BilingualText(
            zh: "检查现在能否备份，以及备份目录的文件系统省不省空间。",
            en: "Check whether a backup could be made now, and what the backup folder's file system saves."),
        options: [], notes: ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        let operations = invocation.operations
        try operations.workspace.prepareFolder()
        invocation.console.answer(try FolderStorage(operations.folder).advice)
        if let newest = try operations.catalogue.newestGood() {
            invocation.console.answer(
                BilingualText(
                    zh: "最近的可用备份: \(newest.name)（\(newest.created.iso)）",
                    en: "Newest good backup: \(newest.name) (\(newest.created.iso))"))
        } else {
            invocation.console.answer(BilingualText(zh: "还没有可用的备份。", en: "There is no good backup yet."))
        }
        if let warning = damaged(try operations.catalogue.items()) { invocation.console.answer(warning) }
        do {
            for warning in try KeptParts(operations.workspace).identified().warnings() {
                invocation.console.answer(warning)
            }
        } catch let error as BackupError { invocation.console.answer(error.explanation) }
        if let unsettled = RecoverJob(operations.workspace).unsettled() { throw unsettled }
        let findings = operations.backupPreflight(
            invocation.settings.compress ? .compressed : .uncompressed, invocation.settings.retention
        ).run()
        for notice in findings.notices { invocation.console.answer(notice) }
        // All but the first, which is thrown, with what to do about it.
        for obstacle in findings.obstacles.dropFirst() { invocation.console.answer(obstacle.bilingual) }
        try findings.throwFirst()
        for warning in try operations.ownershipWarnings() { invocation.console.answer(warning) }
        invocation.console.answer(BilingualText(zh: "一切就绪，可以备份。", en: "All is well: a backup can be made."))
        return .success
    }

    private static func damaged(_ items: [CatalogueItem]) -> BilingualText? {
        let damaged = items.filter { $0.status == .corrupt }
        guard let first = damaged.first else { return nil }
        let reason = first.reason ?? ""
        return BilingualText(
            zh: "\(damaged.count) 个备份已损坏，例如 \(first.name)：\(reason)。仍在复制的，复制完成后会自动恢复正常；"
                + "其他的请检查磁盘，不再需要时请按名称删除。",
            en:
                "\(damaged.count) backups are damaged, such as \(first.name): \(reason). One that is still being copied "
                + "becomes good once it is whole; for others check the disk, and delete them by "
                + "name once nobody needs them.")
    }
}
