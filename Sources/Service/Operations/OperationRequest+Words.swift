// SPDX-License-Identifier: Apache-2.0

import Wording

extension TaskRecord.Kind {
    /// What is done, as a noun that begins a sentence: `备份`, `Backup`.
    var noun: BilingualText {
        switch self {
        case .backup: BilingualText(zh: "备份", en: "Backup")
        case .restore: BilingualText(zh: "恢复", en: "Restore")
        case .verify: BilingualText(zh: "校验", en: "Verification")
        case .undo: BilingualText(zh: "撤销恢复", en: "Undo")
        case .claim: BilingualText(zh: "接管备份", en: "Claim")
        case .forget: BilingualText(zh: "清除保留数据", en: "Removal of kept data")
        }
    }

    /// The same within an English sentence, with its article.
    private var subject: String {
        switch self {
        case .backup, .restore, .verify: "The \(noun.english.lowercased())"
        case .undo: "The undoing of the restore"
        case .claim: "The taking over of backups"
        case .forget: "The removal of what was kept"
        }
    }

    func sentence(zh chinese: String, en english: String) -> BilingualText {
        BilingualText(zh: noun.chinese + chinese, en: "\(subject) \(english)")
    }
}

extension OperationRequest {
    /// What the API answers when the task has been taken, in the guide's words.
    var accepted: BilingualText {
        if case .verify = self {
            return BilingualText(zh: "校验任务已启动", en: "The verification task has been started")
        }
        let task = self.kind == .backup || self.kind == .restore ? "The \(kind.rawValue) task" : "The task"
        return BilingualText(zh: "\(kind.noun.chinese)任务已启动", en: "\(task) has been started")
    }

    var running: BilingualText { kind.sentence(zh: "进行中", en: "is running") }

    func failed(_ reason: BilingualText) -> BilingualText {
        kind.sentence(zh: "失败：", en: "failed: ") + reason
    }

    func cancelled(_ reason: BilingualText) -> BilingualText {
        kind.sentence(zh: "未完成：", en: "did not finish: ") + reason
    }
}
