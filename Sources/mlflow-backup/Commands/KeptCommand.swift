// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

/// `kept`: what restores replaced and is still there, newest first, with what it holds and why it stays.
enum KeptCommand: Command {
    static let definition = CommandDefinition(
        "kept",
        BilingualText(zh: "列出恢复保留的旧数据，最新的在前。", en: "List what restores have kept, newest first."),
        options: [.init("json", nil, BilingualText(zh: "以 JSON 输出", en: "print JSON"))])

    static func run(_ invocation: Invocation) throws -> ExitCode {
        let console = invocation.console
        let workspace = invocation.operations.workspace
        let rows = try workspace.keptListing()
        if invocation.arguments.has("json") {
            console.answer(JSONText.of(rows.map(Row.init)))
            return .success
        }
        if rows.isEmpty { console.answer(BilingualText(zh: "没有保留的数据。", en: "Nothing is kept.")) }
        for (part, bytes) in rows {
            let time = LocalTime(epoch: part.replacedAt).iso
            let backup = part.backup.isEmpty ? "-" : part.backup
            let root = part.root.map { " (\($0))" } ?? ""
            console.answer("\(part.id)  \(HumanUnits.size(bytes))  \(time)  \(backup)  \(part.mode.rawValue)\(root)")
        }
        for warning in try workspace.keptWarnings() { console.answer(warning) }
        return .success
    }

    private struct Row: Encodable {
        let id: String
        let backup: String
        let mode: String
        /// The artifacts folder that its files are of; `nil` for the first.
        let root: String?
        let replaced_at: String
        let size_bytes: UInt64
        let covered_by: String?
        let stays_because_of: [String]

        init(_ row: (part: KeptPart, bytes: UInt64)) {
            id = row.part.id
            backup = row.part.backup
            mode = row.part.mode.rawValue
            root = row.part.root
            replaced_at = LocalTime(epoch: row.part.replacedAt).iso
            size_bytes = row.bytes
            covered_by = row.part.coveredBy
            stays_because_of =
                ((row.part.missing ?? NewerData()).findings + (row.part.obstacle ?? NewerData()).findings)
                .map(\.english)
        }
    }
}
