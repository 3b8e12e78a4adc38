// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

enum RestoreCommand: Command {
    static let definition = CommandDefinition(
        "restore",
        BilingualText(
            zh: "恢复一个备份：先校验并在旁边准备好，最后才切换。不带参数时交互选择。",
            en: "Restore a backup: verified and prepared beside the live data, swapped last. Asks when given nothing."),
        positional: "[INDEX|NAME|/path/to/archive.tar.gz]", positionalLimit: 1,
        options: [
            .init("list", nil, BilingualText(zh: "列出可用备份及编号", en: "list the backups with their numbers")),
            .init("mode", "full|database|artifacts", BilingualText(zh: "恢复范围（默认 full）", en: "what to restore (full)")),
            .init("database", nil, BilingualText(zh: "仅恢复数据库", en: "restore the database only")),
            .init("artifacts", nil, BilingualText(zh: "仅恢复 artifacts", en: "restore the artifacts only")),
            .init("force", nil, BilingualText(zh: "覆盖比备份更新的数据", en: "overwrite data newer than the backup")),
            .init(
                "no-backup", nil,
                BilingualText(zh: "强制恢复前不备份当前数据", en: "with --force: no backup of what it overwrites first")),
            .init("undo", nil, BilingualText(zh: "撤销最近一次恢复", en: "bring back what the last restore replaced")),
        ] + CommandDefinition.Option.ofOperations,
        notes: BilingualText(zh: "编号 1 是最新的备份，与 --list 显示的一致。\n\n", en: "Number 1 is the newest, as --list shows.\n\n")
            + ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        let arguments = invocation.arguments
        if arguments.has("list") { return try ListCommand.listBackups(invocation) }
        let mode = try mode(arguments)
        // Before anything is asked or copied.
        let operation = try RecordedOperation(invocation)
        if arguments.has("undo") {
            // An undo brings back what the restore replaced, all of it and nothing else.
            if let mode { throw UsageError.conflict("--undo", "--\(mode.rawValue)") }
            if let name = arguments.positional.first { throw UsageError.conflict("--undo", name) }
            return try operation.run(
                .undo(force: arguments.has("force"), backupFirst: !arguments.has("no-backup")))
        }
        guard let wanted = arguments.positional.first else {
            return try InteractiveRestore(invocation, operation).run(mode)
        }
        let name = try BackupSelection(invocation).name(of: wanted)
        return try operation.run(
            .restore(
                name, mode ?? .full, force: arguments.has("force"), backupFirst: !arguments.has("no-backup")))
    }

    private static func mode(_ arguments: ParsedArguments) throws -> RestoreMode? {
        var modes: [RestoreMode] = []
        if let text = arguments["mode"] {
            guard let mode = RestoreMode(rawValue: text) else {
                throw UsageError.badValue("--mode", text, expected: "full, database, artifacts")
            }
            modes.append(mode)
        }
        if arguments.has("database") { modes.append(.database) }
        if arguments.has("artifacts") { modes.append(.artifacts) }
        if modes.count > 1 { throw UsageError.conflict("--\(modes[0].rawValue)", "--\(modes[1].rawValue)") }
        return modes.first
    }
}
