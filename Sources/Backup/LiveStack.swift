// SPDX-License-Identifier: Apache-2.0

import Glibc
import MLflowStore
import SystemIO

/// The running MLflow that backups are taken from and restores go into.
package struct LiveStack: Sendable {
    package private(set) var database: any TrackingStore
    /// Where MLflow keeps its artifacts (`--artifacts-destination`).
    package internal(set) var artifacts: FilePath
    /// Folders with artifacts beside that one, in the order of their names.
    package internal(set) var further: [ArtifactFolder]
    /// Roots that are no folders, in the order of their names.
    package internal(set) var remote: [RemoteRoot]
    /// Which of the folders `artifacts` is (`viewed(at:)`); `nil` for the first.
    var root: String?
    /// Of a view: the stack's first folder.
    var first: FilePath?
    /// Asks the server for its version; `nil` where it does not answer.
    package let mlflowVersion: @Sendable () -> String?
    /// Whether the server lets nobody in without a name; `false` where it does not answer.
    package let asksForLogin: @Sendable () -> Bool
    /// What the server has directly below its `--artifacts-destination`; `nil` where it does not say. Throws where it should and fails.
    package let servedNames: @Sendable () throws -> [String]?
    /// Places with artifacts that no backup has to hold.
    package let ignored: IgnoredPlaces
    /// Keys of the server's, to be tried.
    let keys: ServerKeys
    /// How MLflow is stopped and started; `nil` where it cannot be.
    package let server: TrackingServer?
    /// Whether a restore stops it for its swap. One that an earlier process stopped is started again in any case.
    package let stopsServer: Bool

    package init(
        database: any TrackingStore, artifacts: FilePath, further: [ArtifactFolder] = [],
        remote: [RemoteRoot] = [], mlflowVersion: @escaping @Sendable () -> String?, server: TrackingServer? = nil,
        stopsServer: Bool = false, asksForLogin: @escaping @Sendable () -> Bool = { false },
        servedNames: @escaping @Sendable () throws -> [String]? = { nil }, ignored: IgnoredPlaces = .none,
        keys: ServerKeys = .none
    ) {
        self.keys = keys
        self.servedNames = servedNames
        self.ignored = ignored
        self.asksForLogin = asksForLogin
        self.stopsServer = stopsServer
        self.database = database
        self.artifacts = artifacts
        self.further = further.sorted { $0.name < $1.name }
        self.remote = remote.sorted { $0.name < $1.name }
        self.mlflowVersion = mlflowVersion
        self.server = server
    }

    /// Names directly in the artifacts folder that are not artifacts: our staging, our mark, and what ext4 puts at a
    /// mount's root.
    package static let notArtifacts: Set<[UInt8]> = [
        Array(ArtifactSwap.folderName.utf8), Array(ArtifactsMark.fileName.utf8), Array("lost+found".utf8),
    ]

    /// The same with its folders where they really are: a link is followed once, and everything else sees the folder. One
    /// that leads nowhere stays what it is.
    func followingLinks() -> LiveStack {
        var stack = self
        stack.artifacts = Self.real(artifacts)
        stack.database = database.followingLinks()
        stack.further = further.map { $0.followingLinks() }
        return stack
    }

    static func real(_ folder: FilePath) -> FilePath {
        guard case .answered(true) = FolderPulse.look(at: folder, atMost: FolderPulse.awakening) else { return folder }
        return (try? folder.resolved()) ?? folder
    }

    /// What every operation would fail of, in words of its own: it looks into our folder among the artifacts.
    /// - Throws: `BackupError.artifactsMissing` for a link that leads to nothing, or in a circle; `.artifactsUnreadable` for a folder
    ///   that is closed to this user.
    func refuseOutOfSight() throws {
        if artifacts.linkTarget != nil, (try? artifacts.resolved()) == nil { try checkArtifactsFolder() }
        if let closed = BackupError.closed(artifacts) { throw closed }
    }

    /// - Throws: `BackupError.artifactsMissing`, `.artifactsUnreadable`.
    func checkArtifactsFolder() throws {
        if let closed = BackupError.closed(artifacts) { throw closed }
        if let folder = try? OpenFile(artifacts, .directoryThroughLink), (try? folder.status().kind) == .directory {
            return
        }
        let leads = artifacts.linkTarget.map { " -> \($0)" } ?? ""
        throw BackupError.artifactsMissing(path: artifacts.string + leads)
    }

    /// What has a name of ours among the artifacts and is of another kind is a client's, and gets another name. Under the stack's lock.
    /// - Parameter isWrong: whether it is.
    static func makeWay(for path: FilePath, of isWrong: (FileStatus.Kind) -> Bool) throws(SystemError) {
        guard let found = try FileStatus.ifPresent(path), isWrong(found.kind) else { return }
        for number in 1...1000 {
            do throws(SystemError) {
                let target = FilePath(bytes: path.bytes + Array(".\(number)".utf8))
                return try Directory.renameWithoutReplacing(path, to: target)
            } catch { if !error.exists { throw error } }
        }
        throw SystemError("put aside", path: path.string, code: EEXIST)
    }

    /// Where something is mounted in all its folders, as `Manifest.allMounts` has it.
    func allMounts() throws(SystemError) -> [String] {
        var all = try mountsInside() ?? []
        for folder in further { all += (try viewed(at: folder).mountsInside() ?? []).map { "\(folder.name):\($0)" } }
        return all
    }

    /// The folders below the artifacts folder in which something is mounted, as paths below it.
    /// - Returns: `nil` for none.
    func mountsInside() throws(SystemError) -> [String]? {
        let root = try artifacts.resolved()
        let found = try MountTable.points(below: root).map {
            String(decoding: $0.bytes.dropFirst(root.bytes.count).drop { $0 == UInt8(ascii: "/") }, as: UTF8.self)
        }
        return found.isEmpty ? nil : Set(found).sorted()
    }
}

extension BackupError {
    /// Of an artifacts folder that may not be entered, or one above it: it may be there with all that is in it.
    static func closed(_ artifacts: FilePath) -> BackupError? {
        guard Directory.readRefusal(artifacts)?.code == EACCES else { return nil }
        // What can be looked at lies in a folder that is open; the first that cannot lies in the closed one.
        let path = artifacts.nearestThere
        if path != artifacts { return .artifactsOutOfReach(path: path.string, user: geteuid()) }
        return .artifactsUnreadable(path: path.string, count: 1, isAll: true, user: geteuid(), group: getegid())
    }
}
