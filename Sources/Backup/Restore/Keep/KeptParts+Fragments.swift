// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// A kept part that may hold only some of what was live: a restore was cut short in its swap, and nothing says any more
/// which folders it had moved (`StrayParts.claim`). The rest is live, or in the part beside it.
///
/// It is told by an empty file in the part's own folder, not by its record: the next state may be lost like the last one.
extension KeptParts {
    static let fragmentMark = "fragment"

    func isFragment(_ part: KeptPart) throws -> Bool {
        try FileStatus.ifPresent(folder(of: part.id).appending(Self.fragmentMark)) != nil
    }

    /// - Parameter folder: the part's own, or the restore's that is to become it.
    static func markFragment(_ folder: FilePath) throws {
        let path = folder.appending(fragmentMark)
        if try FileStatus.ifPresent(path) == nil { _ = try OpenFile(path, .createNew(mode: 0o600)) }
        try Directory.sync(folder)
    }

    /// What an undo of one does.
    func fragmentText(_ part: KeptPart) throws -> BilingualText? {
        guard try !part.isLate && isFragment(part) else { return nil }
        return BilingualText(
            zh: "保留数据 \(part.id) 来自一次中途中断的切换，可能只是恢复前 artifacts 的一部分：撤销会移回其中的文件，"
                + "不触动线上的其他文件；尚未换出的内容（如有）在线上或 \(part.id)_late 中。",
            en:
                "What is kept as \(part.id) comes from a swap that was cut short, and may be only some of what the artifacts were: an undo "
                + "moves back what is there and lets everything else that is live stay. What else there was, if anything, is live or in "
                + "\(part.id)_late.")
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
