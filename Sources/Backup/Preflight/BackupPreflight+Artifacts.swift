// SPDX-License-Identifier: Apache-2.0

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
    func checkReadable() throws {
        guard let found = try Self.unreadable(in: stack.artifacts, limit: Self.patience) else { return }
        throw BackupError.artifactsUnreadable(
            path: found.example.string, count: found.count, isAll: found.isAll, user: geteuid(), group: getegid())
    }

    /// - Parameter limit: seconds after which it is ended, with what was found until then.
    /// - Returns: `nil` where nothing was found, or the folder is not there, which others say.
    public static func unreadable(in artifacts: FilePath, limit: Double) throws -> Unreadable? {
        guard !ProcessPrivilege.readsEverything else { return nil }
        let root: OpenFile
        do throws(SystemError) { root = try OpenFile(artifacts, .directoryThroughLink) } catch {
            guard error.isDenied else { return nil }
            return Unreadable(count: 1, example: artifacts, isAll: false)
        }
        var look = ReadableTree(root: root, endingAfter: limit)
        try look.run()
        return look.first.map { Unreadable(count: look.count, example: $0, isAll: look.isAll) }
    }
}

/// A look at what may be read of a tree.
private struct ReadableTree {
    private(set) var count = 0
    private(set) var first: FilePath?
    private(set) var isAll = true
    private var descent: FolderDescent
    private var left: [[[UInt8]]]
    private let start = MonotonicTime.nanoseconds()
    private let limit: Double

    init(root: OpenFile, endingAfter limit: Double) {
        self.limit = limit
        descent = FolderDescent(root: root)
        left = []
    }

    mutating func run() throws(SystemError) {
        left = [try Directory.names(in: descent.folder).filter { !LiveStack.notArtifacts.contains($0) }]
        while let names = left.last {
            if MonotonicTime.seconds(since: start) > limit {
                isAll = false
                return
            }
            guard let name = names.last else {
                left.removeLast()
                try descent.leave(to: max(0, left.count - 1))
                continue
            }
            left[left.count - 1].removeLast()
            // What goes away meanwhile is no obstacle.
            do throws(SystemError) { try look(at: name) } catch {
                guard error.isNotFound || [ELOOP, ESTALE, ENXIO].contains(error.code) else { throw error }
            }
        }
    }

    private mutating func look(at name: [UInt8]) throws(SystemError) {
        let folder = descent.folder
        switch try folder.status(of: name).kind {
        case .file: if try !folder.mayRead(name) { note(folder.path.appending(name)) }
        case .directory:
            do throws(SystemError) {
                let inner = try folder.open(name, .directory)
                let names = try Directory.names(in: inner)
                // Listed, and nothing in it can be opened.
                if !names.isEmpty, try !inner.maySearch() { return note(inner.path) }
                try descent.enter(name, inner)
                left.append(names)
            } catch {
                guard error.isDenied else { throw error }
                note(folder.path.appending(name))
            }
        case .symbolicLink, .other: break
        }
    }

    private mutating func note(_ path: FilePath) {
        count += 1
        if first == nil { first = path }
    }
}
