// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

enum RecoverCommand: Command {
    static let definition = CommandDefinition(
        "recover",
        BilingualText(
            zh: "完成或撤销被中断的恢复。服务启动时也会自动执行。", en: "Finish or undo an interrupted restore. The service does so at start."),
        options: [], notes: ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        var operations = invocation.operations
        try operations.workspace.prepareFolder()
        let tasks = RecordedOperation.openTasks(operations.folder, invocation.log)
        operations.settled = { tasks.note($0) }
        let outcome = try invocation.endingInOrder(operations.workspace) { try RecoverJob($0).run() }
        do { try tasks.failOrphans(seenFromHere: true) } catch {
            invocation.log.warning("tasks of killed commands are not closed", ["reason": "\(error)"])
        }
        let text =
            switch outcome {
            case .nothingToDo: BilingualText(zh: "没有被中断的恢复。", en: "No restore was interrupted.")
            case .undone(let backup, _):
                BilingualText(
                    zh: "已撤销对 \(backup) 的恢复，数据与恢复前一致。",
                    en: "The restore of \(backup) was undone; the data is what it was before.")
            case .finished(let backup, _):
                BilingualText(zh: "已完成对 \(backup) 的恢复。", en: "The restore of \(backup) was finished.")
            }
        invocation.console.answer(text)
        return .success
    }
}
