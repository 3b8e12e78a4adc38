// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import Wording

/// Asks a person which backup to restore, what of it, and whether they are sure.
struct InteractiveRestore {
    private let invocation: Invocation
    private let operation: RecordedOperation
    private var console: Console { invocation.console }

    init(_ invocation: Invocation, _ operation: RecordedOperation) {
        self.invocation = invocation
        self.operation = operation
    }

    func run(_ given: RestoreMode?) throws -> ExitCode {
        guard console.isInteractive else { throw UsageError.missingArgument("INDEX|NAME") }
        let items = try invocation.operations.catalogue.items()
        guard !items.isEmpty else {
            console.answer(BilingualText(zh: "没有可用的备份。", en: "There are no backups."))
            return .notFound
        }
        console.answer(ListCommand.table(items, console.language))
        guard let item = try chooseBackup(items), let mode = try given ?? chooseMode() else { return cancelled() }
        let question = BilingualText(
            zh: "将用 \(item.name) 恢复（\(mode.rawValue)），当前数据会被替换。输入 yes 继续：",
            en: "\(item.name) will replace the live data (\(mode.rawValue)). Type yes to go on: ")
        guard try console.ask(question)?.lowercased() == "yes" else { return cancelled() }
        let force = invocation.arguments.has("force")
        do {
            return try restore(item, mode, force: force)
        } catch {
            guard !force, Remedy(error) == .force else { throw error }
            console.error(error.bilingual)
            let sure = BilingualText(zh: "仍要覆盖？输入 overwrite 继续：", en: "Overwrite all the same? Type overwrite: ")
            guard try console.ask(sure)?.lowercased() == "overwrite" else { return cancelled() }
            return try restore(item, mode, force: true)
        }
    }

    private func restore(_ item: CatalogueItem, _ mode: RestoreMode, force: Bool) throws -> ExitCode {
        try operation.run(
            .restore(item.name.string, mode, force: force, backupFirst: !invocation.arguments.has("no-backup")))
    }

    private func chooseBackup(_ items: [CatalogueItem]) throws -> CatalogueItem? {
        while let answer = try console.ask(
            BilingualText(
                zh: "选择备份编号 [1-\(items.count)，q 退出]：", en: "Number of the backup [1-\(items.count), q to quit]: "))
        {
            if answer.lowercased() == "q" { return nil }
            if let index = Int(answer), (1...items.count).contains(index) { return items[index - 1] }
        }
        return nil
    }

    private func chooseMode() throws -> RestoreMode? {
        let question = BilingualText(
            zh: "恢复范围：1 完整（默认）2 仅数据库 3 仅 artifacts：",
            en: "What: 1 everything (default), 2 database only, 3 artifacts only: ")
        while let answer = try console.ask(question) {
            switch answer {
            case "", "1": return .full
            case "2": return .database
            case "3": return .artifacts
            case "q", "Q": return nil
            default: continue
            }
        }
        return nil
    }

    private func cancelled() -> ExitCode {
        console.answer(BilingualText(zh: "已取消，没有改动任何数据。", en: "Cancelled; nothing was changed."))
        return .failure
    }
}
