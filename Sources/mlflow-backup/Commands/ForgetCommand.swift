// SPDX-License-Identifier: Apache-2.0

import Service
import Wording

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
