// SPDX-License-Identifier: Apache-2.0

import API
import Archive
import Backup
import Service
import SystemIO
import Wording

enum ListCommand: Command {
    static let definition = CommandDefinition(
        "list",
        BilingualText(
            zh: "列出备份，最新的在前；给出一个备份时列出其中的内容。",
            en: "List the backups, newest first; with a backup given, what is in it."),
        positional: "[INDEX|NAME|FILE]", positionalLimit: 1,
        options: [
            .init("json", nil, BilingualText(zh: "以 JSON 输出（内容为每项一行）", en: "print JSON (of contents a line each)")),
            .init("long", nil, BilingualText(zh: "内容带类型、权限和 SHA-256", en: "contents with type, mode and SHA-256")),
        ])

    static func run(_ invocation: Invocation) throws -> ExitCode {
        if let backup = invocation.arguments.positional.first {
            let contents = try BackupSelection(invocation).contents(of: backup)
            try untilNobodyReads { try listContents(contents, invocation) }
            return .success
        }
        return try listBackups(invocation)
    }

    static func listBackups(_ invocation: Invocation) throws -> ExitCode {
        let items = try invocation.operations.catalogue.items()
        if invocation.arguments.has("json") {
            invocation.console.answer(JSONText.of(items.map(BackupRepresentation.init)))
        } else if items.isEmpty {
            invocation.console.answer(BilingualText(zh: "没有备份。", en: "There are no backups."))
        } else {
            invocation.console.answer(table(items, invocation.console.language))
        }
        return .success
    }

    /// Written as it is read: an archive of a million entries is listed in little memory.
    private static func listContents(_ contents: BackupContents, _ invocation: Invocation) throws {
        let (json, long) = (invocation.arguments.has("json"), invocation.arguments.has("long"))
        let records = try contents.records()
        var lines: [String] = []
        while let record = try records.next() {
            lines.append(json ? EntryText.json(record) : EntryText.line(record, isLong: long))
            guard lines.count == 500 else { continue }
            try invocation.console.answerOrThrow(lines.joined(separator: "\n"))
            lines = []
        }
        if !lines.isEmpty { try invocation.console.answerOrThrow(lines.joined(separator: "\n")) }
    }

    static func table(_ items: [CatalogueItem], _ language: Language) -> String {
        var lines = items.enumerated().map { index, item in
            let runs = item.sidecar?.summary?.runs.map { language == .chinese ? " \($0) 个运行" : " \($0) runs" } ?? ""
            let status = status(item, language)
            return
                "\(Printable.padded("\(index + 1)", 4))\(Printable.padded(Printable.text(item.name.string), 40))"
                + Printable.padded(HumanUnits.size(item.size), 10)
                + "\(item.created.iso)  \(status)\(runs)"
        }
        lines.insert(language == .chinese ? "编号 名称 / 大小 / 时间 / 状态" : "No. name / size / created / status", at: 0)
        return lines.joined(separator: "\n")
    }

    private static func status(_ item: CatalogueItem, _ language: Language) -> String {
        guard language == .chinese else { return item.shownStatus }
        return switch item.status {
        case .completed where item.isPartial: "不完整"
        case .completed: "可用"
        case .corrupt: "已损坏"
        case .suspicious: "可疑"
        case .unverified: "未校验"
        }
    }
}
