// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

enum BackupCommand: Command {
    static let definition = CommandDefinition(
        "backup",
        BilingualText(
            zh: "立即备份数据库和 artifacts，校验后发布。", en: "Back up database and artifacts now; published once verified."),
        options: [
            .init("no-compress", nil, BilingualText(zh: "生成不压缩的目录", en: "make a folder instead of a tar.gz")),
            .init("max-backups", "N", BilingualText(zh: "只保留最新的 N 个备份", en: "keep the newest N backups")),
            .init(
                "keep-days", "N",
                BilingualText(zh: "保留最近 N 天的备份（默认 7）", en: "keep the backups of the newest N days (7)")),
            .init(
                "scheduled", nil,
                BilingualText(
                    zh: "仅当 BACKUP_SCHEDULE 的时间已到且尚无该次备份时备份（供 cron 调用）",
                    en: "only if BACKUP_SCHEDULE says that one is due and not made yet: for cron")),
            .init("dry-run", nil, BilingualText(zh: "只检查，不做任何更改", en: "check everything, change nothing")),
            .init("email", "ADDRESS", BilingualText(zh: "完成或失败时发邮件", en: "send a mail on success and on failure")),
        ] + CommandDefinition.Option.ofOperations, notes: ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        let arguments = invocation.arguments
        let retention = try RetentionOptions.rule(arguments) ?? invocation.settings.retention
        let kind: BackupName.Kind =
            arguments.has("no-compress") || !invocation.settings.compress ? .uncompressed : .compressed
        let request = OperationRequest.backup(kind, retention)
        let email = try arguments["email"].map { text in
            do { return try MailAddress(text) } catch {
                throw UsageError.badValue("--email", text, expected: "admin@company.com")
            }
        }
        guard !arguments.has("dry-run") else { return try dryRun(invocation, kind, retention) }
        guard arguments.has("scheduled") else { return try RecordedOperation(invocation).run(request, email: email) }
        return try scheduled(invocation, request, email)
    }

    /// What cron calls: the same decision as the service's own schedule, which looks after it a minute later.
    private static func scheduled(
        _ invocation: Invocation, _ request: OperationRequest, _ email: MailAddress?
    ) throws -> ExitCode {
        guard let schedule = invocation.settings.schedule else {
            return tellNotDue(
                invocation, BilingualText(zh: "没有备份计划（BACKUP_SCHEDULE=off）。", en: "No schedule (BACKUP_SCHEDULE=off)."))
        }
        // Where nothing says when the last one was made, one is made.
        let run = ScheduledRun(schedule, of: invocation.operations, since: LocalTime(epoch: 0), log: invocation.log)
        switch run.begin() {
        case .underWay:
            return tellNotDue(
                invocation, BilingualText(zh: "该次备份正由另一进程进行。", en: "Another process is making the scheduled backup."))
        case .notBefore(let next):
            let text = next?.iso ?? "-"
            return tellNotDue(
                invocation,
                BilingualText(zh: "现在没有到期的备份；下一次: \(text)", en: "No backup is due now; the next one: \(text)"))
        case .due: break
        }
        do {
            let code = try RecordedOperation(invocation, isScheduled: true).run(request, email: email)
            run.end(isDealtWith: true)
            return code
        } catch {
            // Who cancelled it does not want another one in an hour; who stopped the machine does.
            run.end(isDealtWith: (error as? TaskCancelled)?.reason == .requested)
            throw error
        }
    }

    private static func tellNotDue(_ invocation: Invocation, _ text: BilingualText) -> ExitCode {
        if invocation.arguments.has("json") {
            invocation.console.answer(
                JSONText.of(["backup": nil, "message": text[invocation.console.language]] as [String: String?]))
        } else if !invocation.arguments.has("quiet") {
            invocation.console.answer(text)
        }
        return .success
    }

    /// Says everything that is found, and ends as the backup would.
    private static func dryRun(
        _ invocation: Invocation, _ kind: BackupName.Kind, _ retention: RetentionRule
    ) throws -> ExitCode {
        let (operations, console, arguments) = (invocation.operations, invocation.console, invocation.arguments)
        var report = PreflightReport()
        report.add(operations.backupPreflight(kind, retention).run())
        if report.obstacles.isEmpty {
            do {
                report.wouldRemove = try PruneJob(operations.workspace, rule: retention).preview().map(\.name.string)
            } catch {
                // The backup is made all the same.
                report.notices.append(
                    BilingualText(zh: "过期备份将无法删除：", en: "Expired backups could not be removed: ") + error.bilingual)
            }
        }
        if arguments.has("json") {
            console.answer(JSONText.of(PreflightRepresentation(report, console.language)))
        } else {
            for notice in report.notices { console.answer(notice) }
            for obstacle in report.obstacles.dropFirst() { console.answer(obstacle.bilingual) }
        }
        if let first = report.obstacles.first { throw first }
        guard !arguments.has("json") else { return report.exit }
        if report.exit == .success {
            console.answer(
                BilingualText(
                    zh: "检查通过：数据库、artifacts、备份目录和空间均可用。没有做任何更改。",
                    en: "All checks passed: database, artifacts, backup folder and room. Nothing was changed."))
        }
        // What is suspicious or partial pushes none of these out.
        for name in report.exit == .success ? report.wouldRemove : [] {
            console.answer(BilingualText(zh: "将删除过期备份 \(name)", en: "Would remove \(name)"))
        }
        return report.exit
    }
}

/// `--max-backups` and `--keep-days`, for the commands that prune.
enum RetentionOptions {
    static func rule(_ arguments: ParsedArguments) throws -> RetentionRule? {
        let count = try arguments.number("max-backups", in: 1...1_000_000)
        let days = try arguments.number("keep-days", in: 1...36_500)
        if count != nil, days != nil { throw UsageError.conflict("--max-backups", "--keep-days") }
        return count.map { .count($0) } ?? days.map { .days($0) }
    }
}
