// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// Prints differences as they come, a heading for each run, and totals at the end.
final class DiffReport {
    private struct Totals {
        var added = 0
        var changed = 0
        var removed = 0
        /// Bytes that came, and bytes that went.
        var grown: UInt64 = 0
        var shrunk: UInt64 = 0

        mutating func add(_ change: ArchiveDiff.Change) {
            switch change {
            case .added(let record):
                added += 1
                grown = grown.adding(clamped: record.entry.size)
            case .removed(let record):
                removed += 1
                shrunk = shrunk.adding(clamped: record.entry.size)
            case .changed(let old, let new):
                changed += 1
                grown = grown.adding(clamped: new.entry.size)
                shrunk = shrunk.adding(clamped: old.entry.size)
            }
        }
    }

    private let console: Console
    private let json: Bool
    private let summary: Bool
    private var group = ""
    private var inGroup = Totals()
    private var all = Totals()

    init(_ console: Console, json: Bool, summary: Bool) {
        self.console = console
        self.json = json
        self.summary = summary
    }

    func add(_ change: ArchiveDiff.Change) throws {
        all.add(change)
        if json { return try console.answerOrThrow(EntryText.json(change)) }
        let heading = self.heading(change.path)
        if heading != group {
            try closeGroup()
            group = heading
            inGroup = Totals()
            if !summary { try console.answerOrThrow(heading) }
        }
        inGroup.add(change)
        if !summary { try console.answerOrThrow("  " + line(change)) }
    }

    func finish() throws {
        guard !json else { return }
        try closeGroup()
        try console.answerOrThrow((console.language == .chinese ? "合计: " : "total: ") + text(all))
    }

    private func closeGroup() throws {
        if summary, !group.isEmpty { try console.answerOrThrow("\(group): \(text(inGroup))") }
    }

    /// `artifacts/EXPERIMENT/RUN/...`, as MLflow lays its artifacts out.
    private func heading(_ path: EntryPath) -> String {
        let parts = EntryText.printable(path).split(separator: "/")
        let isChinese = console.language == .chinese
        if parts.first == "database" { return isChinese ? "数据库" : "database" }
        guard parts.first == "artifacts", parts.count > 2 else { return isChinese ? "其他" : "other" }
        return isChinese ? "实验 \(parts[1]) 运行 \(parts[2])" : "experiment \(parts[1]) run \(parts[2])"
    }

    private func line(_ change: ArchiveDiff.Change) -> String {
        let path = EntryText.printable(change.path)
        return switch change {
        case .added(let record): "+ \(path) \(HumanUnits.size(record.entry.size))"
        case .removed(let record): "- \(path) \(HumanUnits.size(record.entry.size))"
        case .changed(let old, let new):
            "~ \(path) \(HumanUnits.size(old.entry.size)) -> \(HumanUnits.size(new.entry.size))"
        }
    }

    private func text(_ totals: Totals) -> String {
        let (grown, shrunk) = (HumanUnits.size(totals.grown), HumanUnits.size(totals.shrunk))
        return console.language == .chinese
            ? "新增 \(totals.added)，改变 \(totals.changed)，删除 \(totals.removed)；+\(grown) -\(shrunk)"
            : "\(totals.added) added, \(totals.changed) changed, \(totals.removed) removed; +\(grown) -\(shrunk)"
    }
}
