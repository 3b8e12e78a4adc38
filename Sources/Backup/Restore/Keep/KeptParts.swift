// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import Wording

/// What restores replaced and left in place, to be brought back or, later, to go. It reads what is there each time.
public struct KeptParts: Sendable {
    private let stack: LiveStack

    public init(_ stack: LiveStack) { self.stack = stack }

    var folder: FilePath { stack.artifacts.appending(ArtifactSwap.folderName) }

    func folder(of id: String) -> FilePath { folder.appending(KeptPart.prefix + id) }
    func tree(of part: KeptPart) -> FilePath { folder(of: part.id).appending("old") }

    /// Newest first. A record that cannot be read is left out, and so never removed.
    public func all() throws -> [KeptPart] {
        guard try FileStatus.ifPresent(folder) != nil else { return [] }
        var parts: [KeptPart] = []
        for bytes in try Directory.names(in: folder) {
            let name = String(decoding: bytes, as: UTF8.self)
            guard name.hasPrefix(KeptPart.prefix) else { continue }
            do { if let part = try KeptPart.read(in: folder.appending(bytes)) { parts.append(part) } } catch {
                continue
            }
        }
        return parts.sorted { ($0.replacedAt, $0.id) > ($1.replacedAt, $1.id) }
    }

    /// Backups that must stay as long as what they cover is kept: for an undo, and for its removal.
    public func pinnedBackups() throws -> Set<String> {
        var names: Set<String> = []
        for part in try all() {
            names.insert(part.backup)
            if let cover = part.coveredBy { names.insert(cover) }
        }
        return names
    }

    /// - Throws: `BackupError.noSuchKeptPart`.
    public func part(named id: String) throws -> KeptPart {
        guard let part = try all().first(where: { $0.id == id }) else { throw BackupError.noSuchKeptPart(id: id) }
        return part
    }

    /// Removes one with all that is in it, whoever says so. Under both locks.
    func remove(_ part: KeptPart, on databases: Databases) throws {
        if let oid = part.databaseOID, let name = try databases.name(of: oid) {
            guard name != stack.database.database else {
                throw BackupError.needsRecovery(reason: "the kept part \(part.id) names the live database")
            }
            try databases.drop(name)
        }
        // The record last: what cannot be removed still says what it is.
        try Directory.removeTree(tree(of: part))
        try Directory.removeTree(folder(of: part.id))
        if try Directory.names(in: folder).isEmpty { try Directory.removeTree(folder) }
    }
}
