// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO

/// Everything about a tree that a restore must bring back.
struct TreeSnapshot: Equatable {
    struct Item: Equatable, CustomStringConvertible {
        var kind: FileStatus.Kind
        var mode: UInt32
        var modified: FileTime
        var size: UInt64
        var digest: Digest?
        var target: [UInt8]
        /// The first name of the same inode, in byte order.
        var firstName: [UInt8]

        var description: String {
            "\(kind) mode \(String(mode, radix: 8)) time \(modified.seconds).\(modified.nanoseconds) size \(size) "
                + "digest \(digest?.hex.prefix(8) ?? "-") target \(String(decoding: target, as: UTF8.self)) "
                + "first \(String(decoding: firstName, as: UTF8.self))"
        }
    }

    private(set) var items: [[UInt8]: Item] = [:]

    /// - Parameter root: its own mode and time are left out.
    init(_ root: FilePath) throws {
        var names: [UInt64: [UInt8]] = [:]
        try visit(OpenFile(root, .directory), below: [], &names)
    }

    private mutating func visit(_ folder: OpenFile, below prefix: [UInt8], _ names: inout [UInt64: [UInt8]]) throws {
        for name in try Directory.names(in: folder) {
            let path = prefix + name
            let status = try folder.status(of: name)
            var item = Item(
                kind: status.kind, mode: status.mode, modified: status.modified, size: 0, digest: nil, target: [],
                firstName: path)
            switch status.kind {
            case .file:
                item.size = status.size
                let file = try folder.open(name, .readNoFollow)
                item.digest = SHA256.digest(of: try file.readAll())
                item.firstName = names[status.inode] ?? path
                names[status.inode] = item.firstName
            case .directory: try visit(folder.open(name, .directory), below: path + [UInt8(ascii: "/")], &names)
            case .symbolicLink:
                item.target = try folder.linkTarget(of: name)
                item.mode = 0
            case .other: break
            }
            items[path] = item
        }
    }

    /// What differs, a line each, at most ten lines.
    func differences(from other: TreeSnapshot) -> [String] {
        var lines: [String] = []
        for (path, item) in items where other.items[path] != item {
            lines.append(
                "\(String(decoding: path, as: UTF8.self)): \(item) / \(other.items[path]?.description ?? "missing")")
        }
        for path in other.items.keys where items[path] == nil {
            lines.append("\(String(decoding: path, as: UTF8.self)): extra")
        }
        return Array(lines.sorted().prefix(10))
    }
}
