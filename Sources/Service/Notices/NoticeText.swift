// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// The words of a mail: a subject that says it all, then the facts, then what to do.
package struct NoticeText: Sendable, Equatable {
    package let subject: String
    package let body: String

    package init(_ event: NoticeEvent, in language: Language) {
        let title = Self.title(event)
        subject =
            BilingualText(
                zh: "[MLflow 备份] \(title.chinese)（\(event.host)）",
                en: "[MLflow backup] \(title.english) (\(event.host))")[
                language]
        var sections = [title[language], Self.facts(event, language)]
        if !event.warnings.isEmpty {
            let heading = BilingualText(zh: "警告：", en: "Warnings:")
            sections.append(([heading[language]] + event.warnings.map { "- \($0[language])" }).joined(separator: "\n"))
        }
        let heading = BilingualText(zh: "原因：\n", en: "Reason:\n")[language]
        switch event.outcome {
        case .succeeded: break
        case .cancelled(let reason): sections.append(heading + reason[language])
        case .failed(let reason, let code):
            sections.append(heading + reason[language])
            sections.append(
                BilingualText(zh: "处理办法：\n", en: "What to do:\n")[language] + Self.advice(event.kind, code)[language])
        }
        body = sections.joined(separator: "\n\n") + "\n"
    }

    /// Of what `/health` finds.
    init(_ telling: AlarmBook.Telling, in language: Language, host: String = HostName.current()) {
        let title =
            switch telling.kind {
            case .begins: BilingualText(zh: "备份系统有问题", en: "Something is wrong")
            case .lasts: BilingualText(zh: "备份系统的问题仍未解决", en: "Something is still wrong")
            case .over: BilingualText(zh: "备份系统的问题已解决", en: "All is well again")
            }
        subject =
            BilingualText(
                zh: "[MLflow 备份] \(title.chinese)：\(telling.check)（\(host)）",
                en: "[MLflow backup] \(title.english): \(telling.check) (\(host))")[language]
        let since = BilingualText(
            zh: "主机：\(host)\n自：\(telling.since.iso)\n检查项：\(telling.check)",
            en: "Host: \(host)\nSince: \(telling.since.iso)\nCheck: \(telling.check)")
        let ending =
            telling.kind == .over
            ? BilingualText(zh: "该检查现已正常。曾经的问题：", en: "That check is well now. What was wrong:")
            : BilingualText(
                zh: "详情：GET /health，或运行 mlflow-backup doctor。", en: "More: GET /health, or `mlflow-backup doctor`.")
        let sections = telling.kind == .over ? [since, ending, telling.text] : [telling.text, since, ending]
        body = ([title[language]] + sections.map { $0[language] }).joined(separator: "\n\n") + "\n"
    }

    private static func title(_ event: NoticeEvent) -> BilingualText {
        let warned = !event.warnings.isEmpty
        let ending =
            if event.isFailure {
                BilingualText(zh: "失败", en: " failed")
            } else if case .cancelled = event.outcome {
                BilingualText(zh: "已取消", en: " cancelled")
            } else if event.isPartial {
                BilingualText(zh: "完成，但不完整", en: " completed, and is partial")
            } else if warned {
                BilingualText(zh: "完成，但有警告", en: " completed with warnings")
            } else {
                BilingualText(zh: "成功完成", en: " completed")
            }
        return event.kind.noun + ending
    }

    private static func facts(_ event: NoticeEvent, _ language: Language) -> String {
        var facts: [(BilingualText, String)] = []
        if let name = event.backupName { facts.append((BilingualText(zh: "备份", en: "Backup"), name)) }
        if let bytes = event.sizeBytes {
            facts.append((BilingualText(zh: "大小", en: "Size"), HumanUnits.size(bytes)))
        }
        facts.append((BilingualText(zh: "主机", en: "Host"), event.host))
        facts.append((BilingualText(zh: "开始", en: "Started"), event.startedAt.iso))
        facts.append((BilingualText(zh: "结束", en: "Finished"), event.finishedAt.iso))
        let duration = event.durationSeconds < 1 ? "<1s" : HumanUnits.duration(seconds: event.durationSeconds)
        facts.append((BilingualText(zh: "用时", en: "Duration"), duration))
        facts.append((BilingualText(zh: "任务", en: "Task"), event.taskID))
        let colon = BilingualText(zh: "：", en: ": ")[language]
        return facts.map { $0.0[language] + colon + $0.1 }.joined(separator: "\n")
    }

    private static func advice(_ kind: TaskRecord.Kind, _ code: String) -> BilingualText {
        // Whatever was to be done: nothing else can be done before.
        if code == "needs-recovery" {
            return BilingualText(
                zh: "有一次恢复停在半途：线上数据可能已替换了一部分，MLflow 可能已停止；被替换的数据没有丢失。"
                    + "请排除原因；正在运行的服务会自动继续（每十秒一次），也可运行 mlflow-backup recover。然后确认 MLflow 可以访问。",
                en:
                    "A restore has stopped half way: the live data may be replaced in part, and MLflow may be stopped; nothing "
                    + "of what was replaced is lost. Remove the cause. A running service goes on by itself (it tries every ten "
                    + "seconds), and so does mlflow-backup recover. Then check that MLflow answers.")
        }
        if code == "late-writes-kept" {
            return BilingualText(
                zh: "线上数据与之前一致；切换期间客户端写入的内容没有丢失，保留在上面所说的位置（mlflow-backup kept）。"
                    + "请取回需要的内容，排除原因后再重新发起。",
                en:
                    "The live data is what it was before, and what clients wrote in the moment of the swap is not lost: it is kept "
                    + "as said above (mlflow-backup kept). Take out of it what is needed, remove the cause, then start again."
            )
        }
        return switch kind {
        case .backup:
            BilingualText(
                zh: "已有的备份没有改变。排除原因后重新备份：mlflow-backup backup，或 POST /backups；"
                    + "用 mlflow-backup list 查看已有备份。",
                en:
                    "The backups there are did not change. Remove the cause and back up again: mlflow-backup backup, or "
                    + "POST /backups. mlflow-backup list shows what there is.")
        case .restore:
            BilingualText(
                zh: "请先确认 MLflow 仍可访问，再排除原因后重新恢复：mlflow-backup restore，或 POST /restore；"
                    + "也可以换一个备份（mlflow-backup list）。",
                en: "Check that MLflow still answers, remove the cause and restore again: mlflow-backup restore, or "
                    + "POST /restore. Another backup may serve as well (mlflow-backup list).")
        case .undo:
            BilingualText(
                zh: "线上数据没有改变。排除原因后重试：mlflow-backup restore --undo，或 POST /restore/undo。",
                en: "The live data did not change. Remove the cause and try again: mlflow-backup restore --undo, or "
                    + "POST /restore/undo.")
        case .claim:
            BilingualText(
                zh: "线上数据和备份没有改变。排除原因后重试：mlflow-backup claim。",
                en:
                    "Neither the live data nor any backup did change. Remove the cause and try again: mlflow-backup claim."
            )
        case .forget:
            BilingualText(
                zh: "要删除的保留数据可能已删除了一部分；线上数据和备份没有改变。用 mlflow-backup kept 查看剩余部分，"
                    + "排除原因后重试：mlflow-backup forget。",
                en:
                    "Some of what was to be removed may be gone already; neither the live data nor any backup did change. "
                    + "mlflow-backup kept shows what is left. Remove the cause and try again: mlflow-backup forget.")
        case .verify:
            BilingualText(
                zh: "不要依赖这个备份：请立即做一个新的备份（mlflow-backup backup），并检查磁盘。",
                en: "Do not rely on this backup: make a new one now (mlflow-backup backup) and check the disk.")
        }
    }
}
