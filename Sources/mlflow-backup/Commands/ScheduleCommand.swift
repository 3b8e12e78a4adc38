// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

enum ScheduleCommand: Command {
    static let definition = CommandDefinition(
        "schedule",
        BilingualText(zh: "显示备份计划，以及是否错过了一次备份。", en: "Show the schedule, and whether a backup was missed."),
        options: [
            .init(
                "missed", nil,
                BilingualText(zh: "错过了备份时退出码 0，否则 3", en: "exit code 0 when a backup was missed, else 3"))
        ], notes: ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        try invocation.operations.workspace.prepareFolder()
        guard let schedule = invocation.settings.schedule else {
            invocation.console.answer(
                BilingualText(zh: "没有备份计划（BACKUP_SCHEDULE=off）。", en: "No schedule (BACKUP_SCHEDULE=off)."))
            return invocation.arguments.has("missed") ? .notFound : .success
        }
        let run = ScheduledRun(schedule, of: invocation.operations, since: .now(), log: invocation.log)
        var missed: LocalTime?
        if case .due(let due) = run.preview() { missed = due }
        if let missed {
            invocation.console.answer(
                BilingualText(zh: "\(missed.iso) 应有的备份没有做。", en: "The backup due at \(missed.iso) was not made."))
        }
        if let next = schedule.next(after: .now()) {
            invocation.console.answer(BilingualText(zh: "下一次备份: \(next.iso)", en: "Next backup: \(next.iso)"))
        }
        return invocation.arguments.has("missed") && missed == nil ? .notFound : .success
    }
}
