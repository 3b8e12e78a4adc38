// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// What the backup that was restored says of the artifacts it brought. A person may delete any backup, and a disk may lose
/// one: then nobody can tell what was written since, and only a forced undo goes on.
struct RestoredRecords {
    /// The backup is gone, or cannot be read.
    struct Silent: Error {
        let reason: BilingualText
    }

    let contents: BackupContents
    /// Where the artifacts are in it that it is asked about.
    let section: EntryPath
    private let backup: FilePath
    private let stream: RecordStream

    /// - Throws: `Silent`.
    init(of part: KeptPart, in workspace: Workspace) throws {
        try self.init(backup: part.backup, in: workspace)
    }

    /// - Throws: `Silent`.
    init(backup: String, in workspace: Workspace) throws {
        let folder = workspace.folder
        let path = folder.path.appending(backup)
        self.backup = path
        section = workspace.stack.section
        (contents, stream) = try Self.orSilent(path) {
            let contents = BackupContents(try Catalogue(folder).item(named: backup))
            return (contents, try contents.records())
        }
    }

    /// The next of the artifacts, by its path below their folder.
    /// - Throws: `Silent`.
    func next() throws -> (path: EntryPath, record: ArchiveIndex.Record)? {
        while let record = try Self.orSilent(backup, { try stream.next() }) {
            if let path = record.entry.path.relative(to: section) { return (path, record) }
        }
        return nil
    }

    /// Whether it says who else may do what with a file. Known once a record was read.
    var hasLists: Bool { stream.preamble?.hasLists ?? false }

    /// By the paths in the backup.
    /// - Throws: `Silent`.
    func attributes(of paths: Set<EntryPath>) throws -> StoredAttributes {
        try Self.orSilent(backup) { try contents.attributes(of: paths) }
    }

    /// - Parameter backup: where it lies: what another disk does is not its silence.
    /// - Throws: `Silent` where the backup does not say it, or not any more; what else `body` throws.
    static func orSilent<Read>(_ backup: FilePath, _ body: () throws -> Read) throws -> Read {
        do { return try body() } catch let error where isSilence(error, backup) {
            throw Silent(reason: error.bilingual)
        }
    }

    private static func isSilence(_ error: any Error, _ backup: FilePath) -> Bool {
        if error.isDamage { return true }
        if case .noSuchBackup? = error as? BackupError { return true }
        return (error as? SystemError)?.isLoss(in: backup) ?? false
    }
}
