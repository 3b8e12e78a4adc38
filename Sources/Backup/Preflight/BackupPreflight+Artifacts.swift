// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// Whether the artifacts can be read. One file that cannot be read fails the backup, after hours maybe.
extension BackupPreflight {
    /// Files and folders that this user may not read.
    public struct Unreadable: Sendable, Equatable {
        public let count: Int
        /// One of them.
        public let example: FilePath
        /// False where there was no time to look at all, so that there may be more.
        public let isAll: Bool
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
    public static func unreadable(in artifacts: FilePath, limit: Double) throws -> Unreadable? {
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
