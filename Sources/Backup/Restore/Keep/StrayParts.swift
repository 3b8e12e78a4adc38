// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// What lies in our folder among the artifacts, or of ours in the state, and belongs to no journal and no kept part. Under
/// both locks, after the recovery.
struct StrayParts {
    private let workspace: Workspace
    private let identity: StackIdentity

    init(_ workspace: Workspace, _ identity: StackIdentity) {
        self.workspace = workspace
        self.identity = identity
    }

    /// - Throws: `BackupError.needsRecovery` where another service's restore of this stack was interrupted: its journal is in
    ///   another backup folder, and the data may be in two minds.
    func clear(on databases: Databases) throws {
        try refuseForeignWork()
        // What merely lies around stops nothing.
        do { try clearRecords(databases) } catch {
            workspace.log.warning("a leftover of a restore stays", ["reason": error.bilingual[.english]])
        }
    }

    /// A restore's own folder is there while its journal is. Clients of MLflow can make folders here, too, but not with
    /// these permissions: theirs stop nobody.
    private func refuseForeignWork() throws {
        let folder = KeptParts(workspace).folder
        guard let status = try FileStatus.ifPresent(folder), status.kind == .directory else { return }
        for name in try Directory.names(in: folder) where name.starts(with: Array("work-".utf8)) {
            guard let work = try FileStatus.ifPresent(folder.appending(name)) else { continue }
            guard work.kind == .directory, work.mode & 0o777 == 0o700, status.mode & 0o777 == 0o700 else {
                workspace.log.warning(
                    "what a client put into our folder is left alone", ["path": folder.appending(name)])
                continue
            }
            throw BackupError.needsRecovery(
                reason: "a restore of this stack was interrupted, and its journal is not in \(workspace.folder.path): "
                    + "run `mlflow-backup recover` with the backup folder it was started with, or, where that is lost, "
                    + "`mlflow-backup claim`")
        }
        if try Directory.names(in: folder).isEmpty { try Directory.removeTree(folder) }
    }

    /// Records of restores that certainly did not come to their swap: the database that would be kept is the live one. Any
    /// other without a folder is of a part that somebody took away.
    private func clearRecords(_ databases: Databases) throws {
        let parts = KeptParts(workspace)
        let live = try databases.oid(of: identity.database)
        for id in try KeptPart.ids(in: workspace.folder) {
            let read: KeptPart?
            // Named by whoever asks for all of them; the others are looked at all the same.
            do { read = try KeptPart.read(id, in: workspace.folder) } catch is BackupError { continue }
            guard let part = read, part.stack?.system == identity.system, part.stack?.database == identity.database,
                part.databaseOID != nil, part.databaseOID == live,
                try FileStatus.ifPresent(parts.folder(of: id)) == nil
            else { continue }
            try part.removeRecord(in: workspace.folder)
        }
    }

    /// A person says that no other service has the journal and the records: what was put aside becomes a kept part, the rest
    /// goes.
    /// - Returns: the identifiers of those that have a record again.
    func claim(on databases: Databases) throws -> [String] {
        var claimed = try claimWork()
        let known = Set(try KeptPart.ids(in: workspace.folder))
        for id in try idsOfLostRecords(on: databases) where !known.contains(id) {
            let name = RestoreJournal.databaseName(identity.database, "before", id)
            let oid = try databases.oid(of: name)
            let folder = KeptParts(workspace).folder(of: id)
            let hasTree = try FileStatus.ifPresent(folder.appending("old")) != nil
            let mode: RestoreMode = oid == nil ? .artifacts : hasTree ? .full : .database
            try write(id, mode: mode, databaseOID: oid, database: oid == nil ? nil : name)
            // Without its folder it would count as one whose restore never came to the swap.
            if try FileStatus.ifPresent(folder) == nil { try Directory.make(folder, mode: 0o700) }
            workspace.log.warning("what a restore had kept has a record again", ["kept": id])
            claimed.append(id)
        }
        return claimed
    }

    /// By the folders among the artifacts and by the databases: each of them may be what is left.
    private func idsOfLostRecords(on databases: Databases) throws -> [String] {
        let prefix = RestoreJournal.databaseName(identity.database, "before", "")
        let named = try databases.names(withPrefix: prefix).map { String($0.dropFirst(prefix.count)) }
        let foldered = try KeptParts(workspace).foldersWithoutRecord()
        return Set(named.filter(KeptPart.isID) + foldered).sorted()
    }

    private func claimWork() throws -> [String] {
        let folder = KeptParts(workspace).folder
        guard try FileStatus.ifPresent(folder) != nil else { return [] }
        var claimed: [String] = []
        for name in try Directory.names(in: folder) where name.starts(with: Array("work-".utf8)) {
            let work = folder.appending(name)
            let aside = work.appending("old")
            let id = String(decoding: name.dropFirst("work-".utf8.count), as: UTF8.self)
            if try FileStatus.ifPresent(aside) == nil || Directory.names(in: aside).isEmpty || !KeptPart.isID(id) {
                if try FileStatus.ifPresent(aside) == nil || Directory.names(in: aside).isEmpty {
                    try Directory.removeTree(work)
                }
                continue
            }
            try write(id, mode: .artifacts, databaseOID: nil, database: nil)
            try Directory.renameWithoutReplacing(work, to: KeptParts(workspace).folder(of: id))
            workspace.log.warning("what a restore had put aside without a journal is kept", ["kept": id])
            claimed.append(id)
        }
        return claimed
    }

    /// A record of what is known of it without one: no backup is known to hold any of it, so it stays until a person says.
    private func write(_ id: String, mode: RestoreMode, databaseOID: UInt32?, database: String?) throws {
        try KeptPart(
            id: id, backup: "", mode: mode, replacedAt: LocalTime.now().epoch, stack: identity,
            databaseOID: databaseOID,
            database: database, coveredBy: nil, coveredUntil: nil, replaced: NewerData(), mark: nil, broughtIn: nil,
            carried: [], aside: [], sequence: try KeptPart.nextSequence(in: workspace.folder)
        ).write(in: workspace.folder)
    }
}
