// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

extension KeptParts {
    /// What a person has to decide on: kept parts that stay because no backup holds all of them, or because they cannot be
    /// removed, and that all together hold more than they may.
    package func warnings() throws -> [BilingualText] {
        let parts = try all()
        return try parts.flatMap { [try withoutFiles($0), try missing(of: $0), obstacle(of: $0)].compactMap { $0 } }
            + [tooLarge(parts), try withoutRecord(), try ofAnotherStack(), try pinning()].compactMap { $0 }
    }

    /// A stack that is gone for good cannot let go of the backups that its kept parts need.
    private func pinning() throws -> BilingualText? {
        let old = LocalTime.now().epoch - 30 * 86_400
        let others = try inFolder().filter { part in
            try part.root == stack.root && part.replacedAt < old && !isOurs(part)
                && FileStatus.ifPresent(folder(of: part.id)) == nil
        }
        guard let first = others.first, let owner = first.stack else { return nil }
        let record = KeptPart.path(of: first.id, in: state)
        return BilingualText(
            zh: "其他系统的 \(others.count) 次恢复（例如 \(owner) 的 \(first.id)）使备份目录中的备份得以保留已超过三十天。"
                + "若该系统已不存在，请删除 \(record)。",
            en:
                "\(others.count) restores of other stacks, such as \(first.id) of \(owner), have kept backups in the folder from going for "
                + "more than thirty days. If that stack is gone for good, remove \(record).")
    }

    private func ofAnotherStack() throws -> BilingualText? {
        let others = try recordedElsewhere()
        guard let first = others.first, let owner = first.stack else { return nil }
        return BilingualText(
            zh: "\(folder) 中有 \(others.count) 份恢复所保留的数据，例如 \(first.id)，其记录属于另一套系统（\(owner)）：不会被列出、撤销或删除。"
                + "若数据库集群已更换（例如 pg_upgrade 之后），请运行 mlflow-backup claim 接管。",
            en:
                "\(folder) holds \(others.count) parts that restores have kept, such as \(first.id), whose records name another stack "
                + "(\(owner)): they are not listed, brought back or removed. If this database cluster has taken the place of that one, as "
                + "after pg_upgrade, `mlflow-backup claim` takes them up.")
    }

    private func withoutRecord() throws -> BilingualText? {
        let ids = try foldersWithoutRecord()
        guard let first = ids.first else { return nil }
        return BilingualText(
            zh: "\(folder) 中有 \(ids.count) 份恢复所保留的数据，例如 \(first)，但本备份目录中没有其记录（记录已丢失，或属于使用其他备份目录的服务）。"
                + "若没有其他服务，请运行 mlflow-backup claim 接管。",
            en:
                "\(folder) holds \(ids.count) parts that restores have kept, such as \(first), of which this backup folder has no "
                + "record: it is lost, or another service has it, with another backup folder. If there is none, "
                + "`mlflow-backup claim` takes them up.")
    }

    private func withoutFiles(_ part: KeptPart) throws -> BilingualText? {
        if try isMarked(part.id, as: .removing) {
            // Of one whose record says it, too, the removal goes on by itself.
            return part.isBeingRemoved == true ? nil : try fragmentText(part)
        }
        guard try lacksFiles(part) else { return try fragmentText(part) ?? withoutChildren(part) }
        let (path, forget) = (folder(of: part.id), "mlflow-backup forget \(part.id)")
        guard part.databaseOID != nil, let database = part.database else {
            return BilingualText(
                zh: "保留数据 \(part.id) 的文件不在 \(path)。若被移走，请移回；否则运行 \(forget)。",
                en: "The files of what is kept as \(part.id) are not in \(path). If they were moved, move them back; "
                    + "else run `\(forget)`.")
        }
        return BilingualText(
            zh: "保留数据 \(part.id) 的文件不在 \(path)，其数据库 \(database) 仍登记在案。若文件被移走，请移回；"
                + "否则撤销只取回数据库，不需要时运行 \(forget)。",
            en: "The files of what is kept as \(part.id) are not in \(path); its database is \(database). If they were "
                + "moved, move them back; else an undo brings the database alone back, and "
                + "`\(forget)` removes it.")
    }

    /// Of a part whose files are there: that some of them are not.
    /// - Parameter isUndone: whether it has been brought back by now.
    func withoutChildren(_ part: KeptPart, isUndone: Bool = false) throws -> BilingualText? {
        let gone = try missingChildren(of: part)
        return gone.first.map { first in
            if isUndone {
                return BilingualText(
                    zh: "\(gone.count) 项未能取回，因为保留数据 \(part.id) 中已没有它们，例如 \(first)。若被移走，请移至 artifacts 目录。",
                    en:
                        "\(gone.count) files or folders could not be brought back, since they were not in what was kept as \(part.id) any more, "
                        + "such as \(first). If they were moved, move them to the artifacts folder.")
            }
            return BilingualText(
                zh: "保留数据 \(part.id) 中有 \(gone.count) 项已不存在，例如 \(first)：撤销无法取回它们。若被移走，请移回。",
                en:
                    "Of what is kept as \(part.id) \(gone.count) files or folders are not there any more, such as \(first): an undo cannot "
                    + "bring them back. If they were moved, move them back.")
        }
    }

    private func missing(of part: KeptPart) throws -> BilingualText? {
        guard let missing = part.missing, !missing.isEmpty else { return nil }
        if part.isLate {
            let place = [part.database, part.mode.includesArtifacts ? tree(of: part).string : nil].compactMap { $0 }
                .joined(separator: ", ")
            if try isFragment(part) { return lateFragmentText(part, missing, in: place) }
            return BilingualText(
                zh: "\(part.restoreText.chinese)切换期间写入、没有备份的内容保留为 \(part.id)：\(missing.shown(.chinese))。"
                    + "请从 \(place) 中取回；不需要时运行 mlflow-backup forget \(part.id)。",
                en:
                    "What came in during the swap of \(part.restoreText.english), and is in no backup, is kept as \(part.id): "
                    + "\(missing.shown(.english)). Take it out of \(place); if it is not needed, run "
                    + "`mlflow-backup forget \(part.id)`.")
        }
        if let first = part.follows, try !KeptPart.hasRecord(first, in: firstState) {
            let place = tree(of: part)
            return BilingualText(
                zh: "\(part.restoreText.chinese)所保留的数据 \(part.id) 中有备份里没有的内容：\(missing.shown(.chinese))。"
                    + "与它一起保留的其他数据已删除，撤销已不可能：请从 \(place) 中取回；不需要时运行 mlflow-backup forget \(part.id)。",
                en:
                    "What \(part.restoreText.english) replaced, kept as \(part.id), has something that no backup holds: "
                    + "\(missing.shown(.english)). What was kept with it is gone, so that no undo brings it back: take it out of \(place); "
                    + "if it is not needed, run `mlflow-backup forget \(part.id)`.")
        }
        return BilingualText(
            zh: "\(part.restoreText.chinese)所保留的数据 \(part.id) 中有备份里没有的内容：\(missing.shown(.chinese))。"
                + "撤销即可取回；不需要时运行 mlflow-backup forget \(part.id)。",
            en:
                "What \(part.restoreText.english) replaced, kept as \(part.id), has something that no backup holds: "
                + "\(missing.shown(.english)). An undo brings it back; if it is not needed, run "
                + "`mlflow-backup forget \(part.id)`.")
    }

    private func obstacle(of part: KeptPart) -> BilingualText? {
        guard let obstacle = part.obstacle else { return nil }
        return BilingualText(
            zh: "保留数据 \(part.id) 已到期，但无法删除：\(obstacle.shown(.chinese))",
            en: "What is kept as \(part.id) could go and cannot be removed: \(obstacle.shown(.english))")
    }

    /// As of when they were last counted: before this operation, or at the end of the restore that made one.
    func tooLarge(_ parts: [KeptPart]) -> BilingualText? {
        guard let bound else { return nil }
        let total = parts.reduce(UInt64(0)) { $0.adding(clamped: $1.bytes ?? 0) }
        guard total > bound else { return nil }
        let held = parts.map { "\($0.id) (\(HumanUnits.size($0.bytes ?? 0)))" }.joined(separator: ", ")
        let commands = parts.filter { $0.missing?.isEmpty == false }.map { "mlflow-backup forget \($0.id)" }
        let (whole, most) = (HumanUnits.size(total), HumanUnits.size(bound))
        return BilingualText(
            zh: "恢复保留的数据共 \(whole)，超过 UNDO_KEEP_SIZE（\(most)）：\(held)。"
                + "最新的一份留待撤销；没有备份包含的内容不会自动删除"
                + (commands.isEmpty ? "。" : "，不需要时运行 \(commands.joined(separator: "；"))。"),
            en: "What restores have kept holds \(whole), more than UNDO_KEEP_SIZE (\(most)): \(held). "
                + "The newest stays for an undo, and what no backup holds stays"
                + (commands.isEmpty
                    ? "." : "; what of it is not needed goes by `\(commands.joined(separator: "`, `"))`."))
    }
}
