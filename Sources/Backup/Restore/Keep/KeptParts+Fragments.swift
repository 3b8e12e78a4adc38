// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// A kept part that may hold only some of what was live: a restore, or an undo of this part, was cut short in its swap, and nothing says
/// any more which folders it had moved (`StrayParts.claim`). The rest is live, or in the part beside it. Or its removal was cut short, and
/// the rest is gone.
///
/// It is told by an empty file in the part's own folder, not by its record: the next state may be lost like the last one.
extension KeptParts {
    enum FragmentMark: String, CaseIterable {
        case fragment
        /// An undo is bringing it back, or was cut short in that: it goes with the part, or when the undo is put back.
        case undoing
        /// Its removal has begun.
        case removing
    }

    func isFragment(_ part: KeptPart) throws -> Bool {
        try FragmentMark.allCases.contains { try isMarked(part.id, as: $0) }
    }

    /// - Parameter folder: the part's own, or the restore's that is to become it.
    static func mark(_ folder: FilePath, as mark: FragmentMark) throws {
        let path = folder.appending(mark.rawValue)
        if try FileStatus.ifPresent(path) == nil { _ = try OpenFile(path, .createNew(mode: 0o600)) }
        try Directory.sync(folder)
    }

    /// Of an undo that is put back: the part is what it was.
    func removeUndoingMark(of id: String) throws {
        try removeMark(.undoing, of: id)
    }

    func removeMark(_ mark: FragmentMark, of id: String) throws {
        let path = folder(of: id).appending(mark.rawValue)
        if try FileStatus.ifPresent(path) != nil { try Directory.remove(path) }
    }

    func isMarked(_ id: String, as mark: FragmentMark) throws -> Bool {
        try FileStatus.ifPresent(folder(of: id).appending(mark.rawValue)) != nil
    }

    /// What an undo of one does.
    func fragmentText(_ part: KeptPart) throws -> BilingualText? {
        guard try !part.isLate && isFragment(part) else { return nil }
        if try isMarked(part.id, as: .removing) {
            return BilingualText(
                zh: "保留数据 \(part.id) 的删除中途中断，可能只剩一部分：撤销会移回其中剩下的文件，不触动线上的其他文件。"
                    + "不需要时运行 mlflow-backup forget \(part.id) 完成删除。",
                en:
                    "The removal of what is kept as \(part.id) was cut short, and some of it may be gone: an undo moves back what is left and lets "
                    + "everything else that is live stay. `mlflow-backup forget \(part.id)` removes the rest of it.")
        }
        if try lacksFiles(part) {
            return BilingualText(
                zh: "保留数据 \(part.id) 与一次中途中断的切换有关，可能只是当时数据的一部分，而其文件又不在 \(folder(of: part.id))："
                    + "撤销只取回数据库，artifacts 保持原样。若文件被移走，请先移回。",
                en:
                    "What is kept as \(part.id) comes from a swap that was cut short, and may be only some of what was live; and its files are not in "
                    + "\(folder(of: part.id)): an undo brings the database alone back, and the artifacts stay as they are. If they were "
                    + "moved, move them back first.")
        }
        return BilingualText(
            zh: "保留数据 \(part.id) 与一次中途中断的切换有关，可能只是当时 artifacts 的一部分：撤销会移回其中的文件，"
                + "不触动线上的其他文件；其余内容（如有）在线上，或在其他保留数据中（mlflow-backup kept）。",
            en:
                "What is kept as \(part.id) comes from a swap that was cut short, and may be only some of what the artifacts were: an undo "
                + "moves back what is there and lets everything else that is live stay. What else there was, if anything, is live, or in "
                + "another kept part (`mlflow-backup kept`).")
    }

    /// What lies beside one, all that is known of it: a folder that was exchanged and not put aside has the name of the one that
    /// was brought in.
    func lateFragmentText(_ part: KeptPart, _ missing: NewerData, in place: String) -> BilingualText {
        BilingualText(
            zh: "一次中途中断的切换尚未移入的、已换下而未移出的、以及其间写入的内容保留为 \(part.id)：\(missing.shown(.chinese))。"
                + "其中可能有恢复前的 artifacts；请从 \(place) 中取回，不需要时运行 mlflow-backup forget \(part.id)。",
            en:
                "What a swap that was cut short had not brought in yet, or had exchanged and not put aside, or what came in meanwhile, is "
                + "kept as \(part.id): \(missing.shown(.english)). Artifacts of before the restore may be among it: take them out of "
                + "\(place); if nothing of it is needed, run `mlflow-backup forget \(part.id)`.")
    }
}
