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
