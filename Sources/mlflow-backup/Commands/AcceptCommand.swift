// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

enum AcceptCommand: Command {
    static let definition = CommandDefinition(
        "accept",
        BilingualText(
            zh: "接受一个可疑的备份：数据确实变少了。", en: "Accept a suspicious backup: there really is less data now."),
        positional: "INDEX|NAME", positionalLimit: 1,
        options: [
            .init(
                "wait", "SECONDS", BilingualText(zh: "等待其他任务的秒数（默认 600）", en: "seconds to wait for another task (600)"))
        ], notes: ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        guard let argument = invocation.arguments.positional.first else {
            throw UsageError.missingArgument("INDEX|NAME")
        }
        let name = try BackupSelection(invocation).name(of: argument)
        var workspace = invocation.operations.workspace
        workspace.waitSeconds = Double(try invocation.arguments.number("wait", in: 0...86_400) ?? 600)
        let item = try AcceptJob(workspace).run(name)
        invocation.console.answer(
            BilingualText(
                zh: "备份 \(item.name) 已接受：它和以后的备份以它为准。",
                en: "The backup \(item.name) is accepted: it counts, and those after it are measured by it."))
        return .success
    }
}
