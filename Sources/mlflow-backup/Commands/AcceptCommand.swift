// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

enum AcceptCommand: Command {
    static let definition = CommandDefinition(
        "accept",
        BilingualText(
            zh: "接受一个备份，以后的以它为准；可疑的：数据确实变少了。",
            en: "Accept a backup as the measure for those after it; a suspicious one: there really is less data now."),
        positional: "INDEX|NAME", positionalLimit: 1,
        options: [.wait], notes: ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        guard let argument = invocation.arguments.positional.first else {
            throw UsageError.missingArgument("INDEX|NAME")
        }
        var workspace = invocation.operations.workspace
        workspace.waitSeconds = try invocation.arguments.waitSeconds
        let name = try BackupSelection(invocation).name(of: argument)
        let item = try invocation.endingInOrder(workspace) { try AcceptJob($0).run(name) }
        invocation.console.answer(AcceptedText.of(item))
        return .success
    }
}
