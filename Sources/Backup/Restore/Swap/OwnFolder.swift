// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Whether the folder that a restore works in is seen, before anything is concluded from what is in it or is not.
///
/// Nothing tells a thing that is gone from one that is not seen: a disk that is not mounted, a folder that was renamed for a
/// moment, an empty one in its place. So a roll back, a removal of what was prepared, and the end of a swap look first whether the
/// restore's own folder is there, or, where it may be gone by now, whether the artifacts folder is the one it was in.
struct OwnFolder {
    private let workspace: Workspace
    private let journal: RestoreJournal
    private var swap: ArtifactSwap { journal.swap }

    init(_ workspace: Workspace, _ journal: RestoreJournal) {
        self.workspace = workspace
        self.journal = journal
    }

    /// To be asked before anything is moved or removed for the journal, and after each walk over the plan.
    /// - Throws: `BackupError.needsRecovery`.
    func requireSeen() throws {
        guard journal.id != nil else { return try requireSeenOf010() }
        if let work = try FileStatus.ifPresent(swap.work) {
            try refuseCopy(work)
            try requireIncoming()
            return
        }
        try requireRoot()
        if try FileStatus.ifPresent(kept) != nil { return try refuseClaimed() }
        // A record goes before the folder that it is of: where it is there, so should be that.
        guard try hasRecord() else { return }
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "\(swap.root) 是该次恢复的 artifacts 目录，但 \(swap.work) 不在其中。若它被移走，或该处应挂载另一块磁盘，请移回或挂载；"
                    + "若它已不复存在（例如已用另一个备份目录接管并撤销），日志 \(file) 便已失效：请先查看线上数据，移走该日志，再运行 mlflow-backup claim",
                en:
                    "\(swap.work) is not there, though \(swap.root) is the artifacts folder that the restore was of. If it was moved "
                    + "away, or another disk belongs there, move it back, or mount that; if it is gone for good, as where it was "
                    + "claimed with another backup folder and taken back since, the journal \(file) says nothing any more: look at "
                    + "the live data, move the journal away, then run `mlflow-backup claim`"))
    }

    /// That the restore's own folder is not there proves only in the right artifacts folder that it is gone.
    private func requireRoot() throws { if try !isRightRoot() { throw away } }

    /// Runs what removes the restore's own folder or gives it another name, and says only then that it is done if the artifacts
    /// folder was the same one before and after.
    /// - Throws: `BackupError.needsRecovery`, and what `body` throws.
    func watching<Result>(_ body: () throws -> Result) throws -> Result {
        try requireSeen()
        let before = try RestoreJournal.identity(of: swap.root)
        let result = try body()
        if journal.id != nil, try RestoreJournal.identity(of: swap.root) != before { throw away }
        return result
    }

    private var away: BackupError {
        .needsRecovery(
            reason: BilingualText(
                zh: "\(swap.root) 不存在，或不是该次恢复的 artifacts 目录，因此看不到 \(swap.work)：请挂载其磁盘，或以该名称恢复该目录；"
                    + "若它已不复存在，请移走日志 \(file)，再运行 mlflow-backup claim",
                en:
                    "\(swap.root) is not the artifacts folder that the restore was of, or is not there, and \(swap.work) is not "
                    + "seen: mount its disk, or bring it back under that name; if it is gone for good, move the journal \(file) "
                    + "away, then run `mlflow-backup claim`"))
    }

    private var kept: FilePath { swap.folder.appending(KeptPart.prefix + (journal.id ?? "")) }
    private var file: FilePath { journal.path(in: workspace.state) }

    private func hasRecord() throws -> Bool {
        guard let id = journal.id else { return false }
        return try KeptPart.hasRecord(id, in: workspace.state)
    }

    /// By its mark, else by device and inode; a journal that knows neither says nothing of it.
    private func isRightRoot() throws -> Bool {
        guard let identity = try RestoreJournal.identity(of: swap.root) else { return false }
        if let noted = journal.stack?.artifacts, let found = try ArtifactsMark.read(in: swap.root)?.id {
            return found == noted
        }
        // The root of a file system has the same inode on every disk, so the device counts, too.
        if let noted = journal.rootIdentity { return identity == noted }
        return journal.stack?.artifacts == nil
    }

    /// Children are known by their inodes, which mean nothing in a copy of the artifacts folder.
    private func refuseCopy(_ work: FileStatus) throws {
        guard let noted = journal.workInode, journal.mode.includesArtifacts, work.inode != noted else { return }
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "\(swap.work) 是该次恢复工作目录的副本（例如 artifacts 被移到了另一块磁盘）：请换回原件；原件已不存在时，"
                    + "请移走日志 \(file)，再运行 mlflow-backup claim",
                en:
                    "\(swap.work) is a copy of the folder that the restore worked in, as after the artifacts were moved to "
                    + "another disk: bring back the original, or, where it is gone, move the journal \(file) away and run "
                    + "`mlflow-backup claim`"))
    }

    /// An undo's tree is the kept one: it stays there, emptied, until the undo is at its end.
    private func requireIncoming() throws {
        guard swap.incoming != nil, journal.mode.includesArtifacts, let plan = journal.plan, !plan.arrivals.isEmpty,
            try FileStatus.ifPresent(swap.new) == nil
        else { return }
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "要恢复的 \(swap.new) 不存在：请移回；若已不复存在，请先查看线上数据，移走日志 \(file)，再运行 mlflow-backup claim",
                en:
                    "\(swap.new), which was to be brought back, is not there: move it back; if it is gone for good, look at the "
                    + "live data, move the journal \(file) away, then run `mlflow-backup claim`"))
    }

    /// A restore's own folder is renamed to the kept one when all has come to its place. By `claim` it is renamed wherever things
    /// are: with what was unpacked beside it, or, for an undo, before all of it was brought in.
    private func refuseClaimed() throws {
        let isWhole: Bool
        if swap.incoming == nil {
            isWhole = try FileStatus.ifPresent(kept.appending("new")) == nil
        } else {
            isWhole = try (journal.plan?.arrivals ?? []).allSatisfy { child in
                try !child.isAt(swap.new.appending(child.name)) || child.isAt(swap.root.appending(child.name))
            }
        }
        guard !isWhole else { return }
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "该次恢复移出的数据已由另一个备份目录的 mlflow-backup claim 接管为 \(kept)，日志 \(file) 早于该操作："
                    + "请先查看线上数据，移走该日志，再运行 mlflow-backup claim",
                en:
                    "what the restore had moved was taken up as \(kept) since, by `mlflow-backup claim` with another backup folder, "
                    + "and the journal \(file) is older than that: look at the live data, move the journal away, then run "
                    + "`mlflow-backup claim`"))
    }

    /// 0.1.0 had its folders in ours, and noted nothing else but what arrives by inode: where neither is seen, this is not the
    /// folder that it worked in.
    private func requireSeenOf010() throws {
        guard journal.mode.includesArtifacts, let plan = journal.plan,
            !plan.arrivals.isEmpty || !plan.departures.isEmpty,
            try FileStatus.ifPresent(swap.folder) == nil
        else { return }
        let names = try FileStatus.ifPresent(swap.root) == nil ? [] : Directory.names(in: swap.root)
        let isOne =
            try plan.arrivals.isEmpty
            ? !names.isEmpty
            : plan.arrivals.contains { try $0.isAt(swap.root.appending($0.name)) }
        guard !isOne else { return }
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh: "\(swap.root) 不存在，或不是该次恢复的 artifacts 目录：请挂载其磁盘，或以该名称恢复该目录；若已不复存在，请移走日志 \(file)",
                en:
                    "\(swap.root) is not the artifacts folder that the restore was of, or is not there: mount its disk, or bring it "
                    + "back under that name; if it is gone for good, move the journal \(file) away"))
    }
}
