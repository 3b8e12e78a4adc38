// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// What each kept part holds that nothing else holds: what would be free if it went. A file with a name in the live tree, or
/// whose blocks another file shares, is held there all the same.
///
/// What several kept parts hold and nobody else counts for the newest of them: parts go oldest first.
struct KeptSizes {
    struct Size: Equatable {
        /// Bytes of allocated blocks.
        var files: UInt64 = 0
        /// What the server says that the kept database takes (`pg_database_size`).
        var database: UInt64 = 0

        var all: UInt64 { files.adding(clamped: database) }
    }

    /// A file that has several names: how many of them were met, and in which part the first.
    private struct Shared {
        var met: UInt64 = 0
        let part: String
        let names: UInt64
        let bytes: UInt64
    }

    private var sizes: [String: Size] = [:]
    /// Why not all of a part could be counted, by its identifier.
    private(set) var unreadable: [String: BilingualText] = [:]

    /// - Parameter parts: newest first. Their trees are walked.
    init(
        _ kept: KeptParts, _ databases: any DatabaseSet, _ parts: [KeptPart],
        cancellation: Cancellation = Cancellation()
    ) throws {
        var shared: [UInt64: Shared] = [:]
        for part in parts {
            var size = Size()
            if let name = try kept.database(of: part, on: databases) {
                size.database = UInt64(clamping: try databases.size(of: name))
            }
            sizes[part.id] = size
            do { try walk(kept.tree(of: part), of: part, &shared, cancellation) } catch let error as CancelledError {
                throw error
            } catch {
                // As far as it can be read: the others are to be bounded all the same.
                unreadable[part.id] = error.bilingual
            }
        }
        for file in shared.values where file.met >= file.names { add(file.bytes, to: file.part) }
    }

    private mutating func walk(
        _ tree: FilePath, of part: KeptPart, _ shared: inout [UInt64: Shared], _ cancellation: Cancellation
    ) throws {
        guard try FileStatus.ifPresent(tree) != nil else { return }
        var walk = try TreeWalk(root: OpenFile(tree, .directory), prefix: nil)
        while let step = try walk.next() {
            try cancellation.check()
            guard case .entry(let entry, let parent, let name) = step, case .file = entry.kind,
                let origin = entry.origin
            else { continue }
            if walk.linkCount > 1, shared[origin.inode] != nil {
                shared[origin.inode]?.met += 1
                continue
            }
            guard let bytes = try Self.held(name, in: parent) else { continue }
            if walk.linkCount > 1 {
                shared[origin.inode] = Shared(met: 1, part: part.id, names: walk.linkCount, bytes: bytes)
            } else {
                add(bytes, to: part.id)
            }
        }
    }

    subscript(_ part: KeptPart) -> Size { sizes[part.id] ?? Size() }

    /// Of all parts together.
    var total: UInt64 { sizes.values.reduce(0) { $0.adding(clamped: $1.all) } }

    /// - Returns: `nil` where it is gone by now.
    private static func held(_ name: [UInt8], in folder: OpenFile) throws -> UInt64? {
        do throws(SystemError) { return try folder.unsharedBytes(of: name) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    private mutating func add(_ bytes: UInt64, to part: String) {
        var size = sizes[part] ?? Size()
        size.files = size.files.adding(clamped: bytes)
        sizes[part] = size
    }
}
