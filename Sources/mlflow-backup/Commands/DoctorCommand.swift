// SPDX-License-Identifier: Apache-2.0

import Backup
import Postgres
import Service
import SystemIO
import Wording

/// `doctor`: whether a backup could be made now, and what the backup folder is good for.
enum DoctorCommand: Command {
    static let definition = CommandDefinition(
        "doctor",
        BilingualText(
            zh: "检查现在能否备份，以及备份目录的文件系统省不省空间。",
            en: "Check whether a backup could be made now, and what the backup folder's file system saves."),
        options: [.init("json", nil, BilingualText(zh: "以 JSON 输出", en: "print JSON"))], notes: ExitCode.help)

    /// Says everything that it finds, and ends as the operation would that met the first obstacle.
    static func run(_ invocation: Invocation) throws -> ExitCode {
        let findings = invocation.operations.backupPreflight(
            invocation.settings.compress ? .compressed : .uncompressed, invocation.settings.retention
        ).run()
        let report = Self.report(findings, invocation)
        let stores = invocation.operations.workspace.stores(findings)
        if invocation.arguments.has("json") {
            invocation.console.answer(JSONText.of(DoctorRepresentation(report, stores, invocation.console.language)))
        } else {
            for store in stores { invocation.console.answer(store.text) }
            for line in report.notices { invocation.console.answer(line) }
            // All but the first, which is thrown, with what to do about it.
            for obstacle in report.obstacles.dropFirst() { invocation.console.answer(obstacle.bilingual) }
        }
        if let first = report.obstacles.first { throw first }
        if report.exit != .success { return report.exit }
        // The backups are good, and an MLflow on what they bring back would not be.
        if stores.contains(where: \.isAtFault) {
            if !invocation.arguments.has("json") {
                invocation.console.answer(
                    BilingualText(
                        zh: "可以备份，但请先处理上面的密钥问题：恢复后的 MLflow 会因它返回 500。",
                        en:
                            "A backup can be made. Put right what is said of keys above: an MLflow that is restored with them answers 500."
                    ))
            }
            return .failure
        }
        if !invocation.arguments.has("json") {
            invocation.console.answer(
                BilingualText(zh: "一切就绪，可以备份。", en: "All is well: a backup can be made."))
        }
        return .success
    }

    private static func report(_ findings: Findings, _ invocation: Invocation) -> PreflightReport {
        var report = PreflightReport()
        if let finding = invocation.settings.mailFinding { report.notices.append(finding) }
        if let finding = invocation.settings.upgradeFinding { report.notices.append(finding) }
        if findings.first(.backupFolder) == nil { report.look { try aboutBackups(invocation.operations, &$0) } }
        report.add(findings)
        return report
    }

    private static func aboutBackups(_ operations: Operations, _ report: inout PreflightReport) throws {
        guard try FileStatus.ifPresent(operations.folder.path) != nil else {
            let path = operations.folder.path
            report.notices.append(
                BilingualText(
                    zh: "备份目录 \(path) 还不存在，第一次备份时会创建。",
                    en: "The backup folder \(path) is not there yet: the first backup makes it."))
            return
        }
        report.notices.append(try FolderStorage(operations.folder).advice)
        if let newest = try operations.catalogue.newestGood() {
            report.notices.append(
                BilingualText(
                    zh: "最近的可用备份: \(newest.name)（\(newest.created.iso)）",
                    en: "Newest good backup: \(newest.name) (\(newest.created.iso))"))
        } else {
            report.notices.append(BilingualText(zh: "还没有可用的备份。", en: "There is no good backup yet."))
        }
        if let warning = damaged(try operations.catalogue.items()) { report.notices.append(warning) }
    }

    /// What `--json` prints: that of a dry run, and what is covered.
    private struct DoctorRepresentation: Encodable {
        struct Store: Encodable {
            let kind: String
            let name: String
            let facts: String
            let covered: Bool
            let mend: String?
            let at_fault: Bool
        }

        private let report: PreflightRepresentation
        private let stores: [Store]

        init(_ report: PreflightReport, _ stores: [CoveredStore], _ language: Language) {
            self.report = PreflightRepresentation(report, language)
            self.stores = stores.map {
                Store(
                    kind: $0.kind.rawValue, name: $0.name, facts: $0.facts[language], covered: $0.isCovered,
                    mend: $0.mend?[language], at_fault: $0.isAtFault)
            }
        }

        private enum CodingKeys: String, CodingKey { case stores }

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(stores, forKey: .stores)
        }
    }

    private static func damaged(_ items: [CatalogueItem]) -> BilingualText? {
        let damaged = items.filter { $0.status == .corrupt }
        guard let first = damaged.first else { return nil }
        let reason = first.reason ?? .empty
        return BilingualText(
            zh: "\(damaged.count) 个备份已损坏，例如 \(first.name)：\(reason.chinese)。仍在复制的，复制完成后会自动恢复正常；"
                + "其他的请检查磁盘，不再需要时请按名称删除。",
            en:
                "\(damaged.count) backups are damaged, such as \(first.name): \(reason.english). One that is still being copied "
                + "becomes good once it is whole; for others check the disk, and delete them by "
                + "name once nobody needs them.")
    }
}
