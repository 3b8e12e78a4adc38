// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import Wording

enum VerifyCommand: Command {
    static let definition = CommandDefinition(
        "verify", BilingualText(zh: "校验备份的每一个字节。", en: "Check every byte of backups."),
        positional: "[INDEX|NAME]...", positionalLimit: 1000,
        options: [
            .init("all", nil, BilingualText(zh: "校验全部备份", en: "check all backups"))
        ] + CommandDefinition.Option.ofOperations, notes: ExitCode.help)

    /// Goes on after a bad one, so that one run tells of all; the last failure decides the exit code.
    static func run(_ invocation: Invocation) throws -> ExitCode {
        let operation = try RecordedOperation(invocation)
        let selection = BackupSelection(invocation)
        let names =
            invocation.arguments.has("all")
            ? try invocation.operations.catalogue.items().map(\.name.string)
            : try invocation.arguments.positional.map { try selection.name(of: $0) }
        guard !names.isEmpty || invocation.arguments.has("all") else { throw UsageError.missingArgument("INDEX|NAME") }
        // Of one alone its result is the document, or its error.
        if names.count == 1, !invocation.arguments.has("all") { return try operation.run(.verify(names[0])) }
        var code = ExitCode.success
        var report = VerifyReport(invocation, operation)
        defer { report.finish() }
        for name in names {
            guard let error = report.verify(name) else { continue }
            report.tell(error, of: name)
            code = ExitCode(error)
            if code == .interrupted { return code }
        }
        return code
    }
}
