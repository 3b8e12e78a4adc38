// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

enum PruneCommand: Command {
    static let definition = CommandDefinition(
        "prune", BilingualText(zh: "按保留策略删除过期备份。", en: "Remove backups that retention lets go."),
        options: [
            .init("max-backups", "N", BilingualText(zh: "只保留最新的 N 个备份", en: "keep the newest N backups")),
            .init(
                "keep-days", "N",
                BilingualText(zh: "保留最近 N 天的备份（默认 7）", en: "keep the backups of the newest N days (7)")),
            .init("dry-run", nil, BilingualText(zh: "只显示，不删除", en: "show, remove nothing")),
        ], notes: ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        let rule = try RetentionOptions.rule(invocation.arguments) ?? invocation.settings.retention
        if invocation.arguments.has("dry-run") {
            for item in try PruneJob(invocation.operations.workspace, rule: rule).preview() {
                invocation.console.answer(BilingualText(zh: "将删除 \(item.name)", en: "Would remove \(item.name)"))
            }
            return .success
        }
        let outcome = try invocation.endingInOrder(invocation.operations.workspace) {
            try PruneJob($0, rule: rule).run()
        }
        let removed = outcome.removed
        for warning in outcome.warnings { invocation.console.error(warning) }
        for name in removed { invocation.console.answer(BilingualText(zh: "已删除 \(name)", en: "Removed \(name)")) }
        // Where something could not be removed, it has expired all the same.
        if removed.isEmpty, outcome.isComplete {
            invocation.console.answer(BilingualText(zh: "没有过期备份。", en: "Nothing has expired."))
        }
        return outcome.isComplete ? .success : .failure
    }
}
