// SPDX-License-Identifier: Apache-2.0

import Service
import Wording

/// `claim`: this stack takes over the backups of another one, as after `pg_upgrade` or a disaster.
enum ClaimCommand: Command {
    static let definition = CommandDefinition(
        "claim",
        BilingualText(
            zh: "接管备份目录中属于另一套 MLflow（如重建前）的备份。",
            en: "Take over the backups in the folder that another MLflow made, as before a rebuild."),
        positional: "[DATABASE@SYSTEM]", positionalLimit: 1, options: CommandDefinition.Option.ofOperations,
        notes: BilingualText(
            zh: "目录中有多套其他 MLflow 的备份时，须指定一套；不指定时列出它们。\n\n",
            en:
                "Where several others have backups in the folder, one is to be named; without a name they are listed.\n\n"
        )
            + ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        try RecordedOperation(invocation).run(.claim(invocation.arguments.positional.first))
    }
}

/// `forget`: what a restore kept, and no backup covers, goes because a person says so.
enum ForgetCommand: Command {
    static let definition = CommandDefinition(
        "forget",
        BilingualText(
            zh: "删除某次恢复保留的、没有任何备份包含的旧数据。",
            en: "Remove what a restore kept although no backup covers it."),
        positional: "STAMP", positionalLimit: 1, options: CommandDefinition.Option.ofOperations, notes: ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        guard let stamp = invocation.arguments.positional.first else { throw UsageError.missingArgument("STAMP") }
        return try RecordedOperation(invocation).run(.forget(stamp))
    }
}

extension CommandDefinition.Option {
    /// What every recorded operation understands.
    static let ofOperations: [CommandDefinition.Option] = [
        .init(
            "wait", "SECONDS", BilingualText(zh: "等待其他任务的秒数（默认 600）", en: "seconds to wait for another task (600)")),
        .init("json", nil, BilingualText(zh: "以 JSON 输出结果", en: "print the result as JSON")),
        .init("quiet", nil, BilingualText(zh: "只输出错误", en: "print errors only")),
    ]
}
