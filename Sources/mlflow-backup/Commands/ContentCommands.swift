// SPDX-License-Identifier: Apache-2.0

import Archive
import Backup
import Glibc
import Service
import SystemIO
import Wording

/// Whoever reads standard output may have seen enough, as `head` does: that is no failure.
func untilNobodyReads(_ body: () throws -> Void) throws {
    do { try body() } catch let error as SystemError where error.code == EPIPE {}
}

/// `cat`: one file out of a backup.
enum CatCommand: Command {
    static let definition = CommandDefinition(
        "cat", BilingualText(zh: "把备份中的一个文件写到标准输出。", en: "Write one file of a backup to standard output."),
        positional: "INDEX|NAME|FILE PATH", positionalLimit: 2, options: [],
        notes: BilingualText(
            zh: "例: mlflow-backup cat 1 artifacts/1/RUN/artifacts/model.pkl > model.pkl\n",
            en: "Example: mlflow-backup cat 1 artifacts/1/RUN/artifacts/model.pkl > model.pkl\n") + ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        let given = invocation.arguments.positional
        guard given.count == 2 else { throw UsageError.missingArgument(given.isEmpty ? "INDEX|NAME|FILE" : "PATH") }
        let contents = try BackupSelection(invocation).contents(of: given[0])
        // As tar lists it, below the one folder at the top, or without that.
        let top = String(decoding: ArchiveLayout.top, as: UTF8.self) + "/"
        let text = given[1].hasPrefix(top) ? String(given[1].dropFirst(top.count)) : given[1]
        guard let path = EntryPath(text) else { throw BackupError.noSuchEntry(backup: contents.name, path: given[1]) }
        let output = OpenFile(adopting: dup(STDOUT_FILENO), path: "standard output")
        try untilNobodyReads { try contents.copy(path) { try output.write($0) } }
        return .success
    }
}

/// `diff`: what changed between two backups, by experiment and run.
enum DiffCommand: Command {
    static let definition = CommandDefinition(
        "diff",
        BilingualText(
            zh: "比较两个备份：新增、改变、删除了什么（按实验和运行）。",
            en: "Compare two backups: what was added, changed and removed, by experiment and run."),
        positional: "A B", positionalLimit: 2,
        options: [
            .init("summary", nil, BilingualText(zh: "只显示每个运行的合计", en: "totals of each run only")),
            .init("json", nil, BilingualText(zh: "每个差异一行 JSON", en: "one line of JSON for each difference")),
        ], notes: ExitCode.help)

    static func run(_ invocation: Invocation) throws -> ExitCode {
        let given = invocation.arguments.positional
        guard given.count == 2 else { throw UsageError.missingArgument(given.isEmpty ? "A" : "B") }
        let selection = BackupSelection(invocation)
        let diff = ArchiveDiff(
            from: try selection.contents(of: given[0]).records(), to: try selection.contents(of: given[1]).records())
        let report = DiffReport(
            invocation.console, json: invocation.arguments.has("json"), summary: invocation.arguments.has("summary"))
        try untilNobodyReads {
            try diff.forEachChange { try report.add($0) }
            try report.finish()
        }
        return .success
    }
}

/// `scrub`: every backup of the folder is read again.
enum ScrubCommand: Command {
    static let definition = CommandDefinition(
        "scrub",
        BilingualText(
            zh: "重新校验目录中的全部备份，最久未校验的先来；损坏的会被标记，不再用作增量来源。",
            en:
                "Check all backups of the folder again, the longest unchecked first; damaged ones are marked and no longer re-used from."
        ),
        options: [
            .init(
                "rate", "MB/S",
                BilingualText(zh: "每秒最多读取的 MB（默认 50，0 不限）", en: "MB to read a second at most (50; 0: no limit)"))
        ] + CommandDefinition.Option.ofOperations, notes: ExitCode.help)

    /// Goes on after a bad one, as `verify` does.
    static func run(_ invocation: Invocation) throws -> ExitCode {
        let rate = try invocation.arguments.number("rate", in: 0...100_000) ?? 50
        let limit = rate == 0 ? nil : ReadRate(bytesPerSecond: UInt64(rate) * 1_000_000)
        let operation = try RecordedOperation(invocation, readRate: limit)
        let items = try invocation.operations.catalogue.items().sorted {
            ($0.lastRead() ?? .min) < ($1.lastRead() ?? .min)
        }
        var code = ExitCode.success
        var read: Set<FileKey> = []
        var report = VerifyReport(invocation, operation)
        defer { report.finish() }
        for item in items {
            // A backup of an unchanged day is another name of a file that was just read.
            guard let key = try FileKey(item) else { continue }
            guard item.kind == .uncompressed || read.insert(key).inserted else { continue }
            guard let error = report.verify(item.name.string) else { continue }
            // Retention may have removed it meanwhile.
            if case BackupError.noSuchBackup = error { continue }
            read.remove(key)
            report.tell(error, of: item.name.string)
            let failure = ExitCode(error)
            if failure == .interrupted { return failure }
            // Damage is what a scrub is for: nothing else may hide it.
            if code != .corrupt { code = failure }
        }
        return code
    }

    /// A file as it is now, and what its sidecar says it must be: equal keys have equal verdicts.
    private struct FileKey: Hashable {
        let device: UInt64
        let inode: UInt64
        let modified: FileTime
        let expected: String

        /// - Returns: `nil` where it has gone since it was listed.
        init?(_ item: CatalogueItem) throws {
            guard let status = try FileStatus.ifPresent(item.path) else { return nil }
            device = status.device
            inode = status.inode
            modified = status.modified
            expected = item.sidecar.map { "\($0.sha256) \($0.size) \($0.status)" } ?? item.name.string
        }
    }
}
