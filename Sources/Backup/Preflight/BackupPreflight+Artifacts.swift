// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import MLflowStore
import SystemIO
import Wording

/// Whether the artifacts are there, and can be read. One file that cannot be read fails the backup, after hours maybe.
extension BackupPreflight {
    func checkArtifacts(_ findings: inout Findings) {
        checkOwnArtifacts(&findings)
        for view in workspace.views {
            var other = self
            other.workspace = view
            other.checkOwnArtifacts(&findings)
        }
    }

    private func checkOwnArtifacts(_ findings: inout Findings) {
        guard findings.make(.artifacts, { try stack.checkArtifactsFolder() }) != nil else { return }
        findings.make(.artifacts) { try checkReadable() }
        if let notice = unmarkable() ?? swapped() { findings.note(.artifacts, [notice]) }
    }

    /// Disks that are not mounted leave their mount points, and a machine with two of those looks like a new one: only the database tells
    /// that it is none. A service that only started may have made its state in one of them.
    /// - Returns: what to know where the database has runs, and does not tell whether they have files.
    /// - Throws: `BackupError.artifactsEmptied` where it speaks of files.
    func refuseUnmounted() throws -> [BilingualText] {
        // Where the folders cannot be looked at, others say so.
        guard (try? stack.holdsNoArtifacts()) == true, (try? FileStatus.ifPresent(markPath)?.kind) != .file,
            (try? folder.wasUsed()) == false
        else { return [] }
        // A table that is held, or is none of MLflow's, tells nothing.
        guard let spoken = try? stack.database.filesSpokenOf(in: stack.artifacts), spoken.runs > 0 else {
            return []
        }
        // They may all be in a store: what is nowhere the backup tells of, which is partial then (`ArtifactPlaces.unseen`).
        if !stack.remote.isEmpty { return [] }
        if spoken.files > 0 {
            throw BackupError.artifactsEmptied(
                path: stack.artifacts.string, why: .neverSeen(files: spoken.files, folder: folder.path.string))
        }
        return [
            BilingualText(
                zh: "artifacts 目录 \(stack.artifacts) 是空的，而数据库中有 \(spoken.runs) 个运行。若它们记录过文件，请检查该目录的磁盘是否已挂载。",
                en:
                    "The artifacts folder \(stack.artifacts) is empty, and the database has \(spoken.runs) runs. If they logged files, check "
                    + "that its disk is mounted.")
        ]
    }

    private var markPath: FilePath { stack.artifacts.appending(ArtifactsMark.fileName) }

    /// Without a mark nobody notices that an empty folder stands in the place of a disk.
    private func unmarkable() -> BilingualText? {
        guard let refused = Directory.writeRefusal(stack.artifacts), (try? FileStatus.of(markPath)) == nil else {
            return nil
        }
        return BilingualText(
            zh: "无法在 artifacts 目录 \(stack.artifacts) 中写入标记（\(refused.reasonText.chinese)）：备份不受影响，但磁盘未挂载时无法识别其位置上的空目录。",
            en:
                "The artifacts folder \(stack.artifacts) cannot be marked (\(refused.reason)). Backups are made all the same, but an empty "
                + "folder in the place of a disk that is not mounted cannot be told.")
    }

    /// Both settings may have got each other's value.
    private func swapped() -> BilingualText? {
        guard let names = try? Directory.names(in: stack.artifacts),
            let first = names.lazy.map({ String(decoding: $0, as: UTF8.self) }).first(where: {
                $0.utf8.elementsEqual(folder.state.lastComponent) || BackupName($0)?.time != nil
            })
        else { return nil }
        return BilingualText(
            zh: "artifacts 目录 \(stack.artifacts) 中有 \(first)，像是备份目录的内容。请检查 ARTIFACTS_DIR 和 BACKUP_DIR 是否写反。",
            en:
                "The artifacts folder \(stack.artifacts) has \(first) in it, as a backup folder has. Check that ARTIFACTS_DIR and "
                + "BACKUP_DIR are not the wrong way round.")
    }

    /// Files and folders that this user may not read.
    package struct Unreadable: Sendable, Equatable {
        package let count: Int
        /// One of them.
        package let example: FilePath
        /// False where there was no time to look at all, so that there may be more.
        package let isAll: Bool
    }

    /// Seconds that a look may take.
    private static let patience = 2.0

    /// - Throws: `BackupError.artifactsUnreadable`.
    func checkReadable() throws { try Self.requireReadable(stack.artifacts, atMost: Self.patience) }

    /// - Parameter seconds: as `unreadable`.
    /// - Throws: `BackupError.artifactsUnreadable`.
    static func requireReadable(_ artifacts: FilePath, atMost seconds: Double) throws {
        guard let found = try unreadable(in: artifacts, limit: seconds) else { return }
        throw BackupError.artifactsUnreadable(
            path: found.example.string, count: found.count, isAll: found.isAll, user: geteuid(), group: getegid())
    }

    /// - Parameter limit: seconds after which it is ended, with what was found until then.
    /// - Returns: `nil` where nothing was found, or the folder is not there, which others say.
    package static func unreadable(in artifacts: FilePath, limit: Double) throws -> Unreadable? {
        guard !ProcessPrivilege.readsEverything else { return nil }
        var look: ReadableTree
        do throws(SystemError) {
            look = try ReadableTree(root: OpenFile(artifacts, .directoryThroughLink), endingAfter: limit)
        } catch {
            guard error.isDenied else { return nil }
            return Unreadable(count: 1, example: artifacts, isAll: false)
        }
        try look.run()
        return look.first.map { Unreadable(count: look.count, example: $0, isAll: look.isAll) }
    }
}

/// A look at what may be read of a tree.
private struct ReadableTree {
    private(set) var count = 0
    private(set) var first: FilePath?
    private(set) var isAll = true
    private var walk: TreeWalk
    private let start = MonotonicTime.nanoseconds()
    private let limit: Double

    init(root: OpenFile, endingAfter limit: Double) throws(SystemError) {
        self.limit = limit
        walk = try TreeWalk(root: root, prefix: nil, ignoring: LiveStack.notArtifacts)
    }

    mutating func run() throws(SystemError) {
        while MonotonicTime.seconds(since: start) <= limit {
            do throws(SystemError) {
                guard let step = try walk.nextOrRefusal() else { return }
                guard case .entry(let entry, let parent, let name) = step, entry.kind == .file else { continue }
                if try !parent.mayRead(name) { note(parent.path.appending(name)) }
            } catch {
                // What goes away meanwhile is no obstacle.
                if error.isOfChange { continue }
                guard error.isDenied else { throw error }
                note(FilePath(error.path))
            }
        }
        isAll = false
    }

    private mutating func note(_ path: FilePath) {
        count += 1
        if first == nil { first = path }
    }
}
