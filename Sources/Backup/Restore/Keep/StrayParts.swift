// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

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
    func clear(on databases: any DatabaseSet) throws {
        try refuseForeignWork()
        Directory.removeWhereEmpty(KeptParts(workspace).folder)
        // What merely lies around stops nothing.
        do { try clearRecords(databases) } catch {
            workspace.log.warning("a leftover of a restore stays", ["reason": error.bilingual[.english]])
        }
    }

    /// A restore's own folder is there while its journal is. Clients of MLflow can make folders here, too, but not with
    /// these permissions: theirs stop nobody.
    /// - Parameter isTold: whether those are noted in the log.
    func refuseForeignWork(telling isTold: Bool = true) throws {
        for name in try Self.work(workspace, telling: isTold) {
            try refuseWithJournal(id(name))
            throw BackupError.needsRecovery(
                reason: BilingualText(
                    zh: "本系统的一次恢复中断，其日志不在 \(workspace.folder.path) 中：请用当时的备份目录运行 mlflow-backup recover；"
                        + "该目录已丢失时运行 mlflow-backup claim",
                    en:
                        "a restore of this stack was interrupted, and its journal is not in \(workspace.folder.path): "
                        + "run `mlflow-backup recover` with the backup folder it was started with, or, where that is lost, "
                        + "`mlflow-backup claim`"))
        }
    }

    /// The names of restores' own folders, whosever journals they have.
    static func work(_ workspace: Workspace, telling isTold: Bool = true) throws -> [[UInt8]] {
        let folder = KeptParts(workspace).folder
        guard let status = try FileStatus.ifPresent(folder), status.kind == .directory else { return [] }
        return try Directory.names(in: folder).filter { name in
            guard name.starts(with: Array("work-".utf8)), let work = try FileStatus.ifPresent(folder.appending(name))
            else { return false }
            if work.kind == .directory, work.mode & 0o777 == 0o700, status.mode & 0o777 == 0o700 { return true }
            if isTold {
                workspace.log.warning(
                    "what a client put into our folder is left alone", ["path": folder.appending(name)])
            }
            return false
        }
    }

    /// A journal that lies here and was not taken for this stack's: the server or the database has another name now.
    private func refuseWithJournal(_ id: String) throws {
        guard let journal = try RestoreJournal.existing(id, in: workspace.state) else { return }
        let settings = workspace.stack.database.settingNames
        throw BackupError.needsRecovery(
            reason: BilingualText(
                zh:
                    "被中断的恢复 \(id) 的日志 \(journal) 不属于 \(identity.description)：请用当时的设置（\(settings)）运行 mlflow-backup recover；"
                    + "该数据库已不复存在时，请移走该日志，再运行 mlflow-backup claim",
                en:
                    "the journal \(journal) of the interrupted restore \(id) is not of "
                    + "\(identity.description): run `mlflow-backup recover` with the settings that it was started with (\(settings)); "
                    + "where that database is gone for good, move the journal away, then run `mlflow-backup claim`"))
    }

    private func id(_ name: [UInt8]) -> String {
        String(decoding: name.dropFirst("work-".utf8.count), as: UTF8.self)
    }

    /// Records of restores that certainly did not come to their swap: the database that would be kept is the live one. Any
    /// other without a folder is of a part that somebody took away.
    private func clearRecords(_ databases: any DatabaseSet) throws {
        let parts = KeptParts(workspace)
        let live = try databases.oid(of: identity.database)
        for id in try KeptPart.ids(in: workspace.state) {
            let read: KeptPart?
            // Named by whoever asks for all of them; the others are looked at all the same.
            do { read = try KeptPart.read(id, in: workspace.state) } catch is BackupError { continue }
            guard let part = read, part.root == workspace.stack.root, part.stack?.system == identity.system,
                part.stack?.database == identity.database,
                part.databaseOID != nil, part.databaseOID == live,
                try FileStatus.ifPresent(parts.folder(of: id)) == nil
            else { continue }
            try part.removeRecord(in: workspace.state)
        }
    }

    /// A person says that no other service has the journal and the records: what was put aside becomes a kept part, the rest
    /// goes.
    /// - Returns: the identifiers of those that have a record again, and of those the ones whose restore was cut short in the
    ///   middle of its swap.
    func claim(on databases: any DatabaseSet) throws -> (kept: [String], halfSwapped: [String]) {
        let halfSwapped = try claimWork(on: databases)
        var claimed = halfSwapped
        let parts = KeptParts(workspace)
        for id in try parts.foldersWithoutRecord() {
            let tree = parts.folder(of: id).appending("old")
            // A removal was cut short when all but its mark was gone.
            if try parts.isMarked(id, as: .removing) && isEmpty(tree)
                && !databases.exists(RestoreJournal.databaseName(identity.database, "before", id))
            {
                try Directory.removeTree(parts.folder(of: id))
                Directory.removeWhereEmpty(parts.folder)
                continue
            }
            try write(id, tree: tree, on: databases)
            workspace.log.warning("what a restore had kept has a record again", ["kept": id])
            claimed.append(id)
        }
        // What the first folder has kept is known to its own view alone.
        if workspace.stack.root == nil { try nameDatabases(on: databases) }
        return (claimed, halfSwapped)
    }

    /// A name proves nothing: without a folder among this stack's artifacts a database may be another stack's, or a
    /// person's.
    private func nameDatabases(on databases: any DatabaseSet) throws {
        let known = try Set(KeptParts(workspace).all().compactMap(\.database))
        for prefix in ["before", "restore"].map({ RestoreJournal.databaseName(identity.database, $0, "") }) {
            for name in try databases.names(withPrefix: prefix)
            where KeptPart.isID(String(name.dropFirst(prefix.count))) && !known.contains(name) { nameStray(name) }
        }
    }

    private func nameStray(_ name: String) {
        workspace.log.warning(
            "this database may be what a restore had kept or made, and nothing says whose it is: look at it, then rename or drop it",
            ["database": name])
    }

    /// Nobody knows how far a restore without its journal had come: whatever lies in its own folder is kept.
    private func claimWork(on databases: any DatabaseSet) throws -> [String] {
        let folder = KeptParts(workspace).folder
        guard try FileStatus.ifPresent(folder) != nil else { return [] }
        var claimed: [String] = []
        for name in try Directory.names(in: folder) where name.starts(with: Array("work-".utf8)) {
            let (work, id) = (folder.appending(name), id(name))
            guard KeptPart.isID(id) else { continue }
            try refuseWithJournal(id)
            let (aside, incoming) = (work.appending("old"), work.appending("new"))
            let (hasAside, hasIncoming) = (try !isEmpty(aside), try !isEmpty(incoming))
            let hasDatabase = try databases.exists(RestoreJournal.databaseName(identity.database, "before", id))
            let isWhole = try isWhole(aside, of: id)
            // In place of the record that the restore may have written: it says what is so when the swap is made. The mark first: another claim
            // would take this one's record for the restore's.
            if hasAside || hasDatabase {
                if !isWhole { try KeptParts.mark(work, as: .fragment) }
                try write(id, tree: hasAside ? aside : nil, isNewest: true, isWhole: isWhole, on: databases)
            }
            if hasIncoming { try keepIncoming(incoming, of: id) }
            try Directory.removeTree(work.appending("dump"))
            if hasAside || hasDatabase {
                try Directory.renameWithoutReplacing(work, to: KeptParts(workspace).folder(of: id))
            } else {
                // A record that the restore wrote for the case of its swap would be one of lost files.
                try removeRecord(id)
                try Directory.removeTree(work)
            }
            guard hasAside || hasDatabase || hasIncoming else { continue }
            workspace.log.warning(
                "a restore was cut short, and its journal is lost: what it had moved, and what it had not, is kept",
                ["kept": id])
            claimed.append(id)
        }
        return claimed
    }

    private func removeRecord(_ id: String) throws {
        do { try KeptPart.read(id, in: workspace.state)?.removeRecord(in: workspace.state) } catch is BackupError {
            // One that cannot be read is named by every operation, and a person's to forget.
        }
    }

    /// Whether all that the restore's record says it would put aside is there. Where there is none that can be read, nobody knows.
    private func isWhole(_ aside: FilePath, of id: String) throws -> Bool {
        let noted: KeptPart?
        do { noted = try KeptPart.read(id, in: workspace.state) } catch is BackupError { return false }
        if noted?.mode == .database { return true }
        return try noted?.departed?.allSatisfy { try FileStatus.ifPresent(aside.appending($0)) != nil } ?? false
    }

    private func isEmpty(_ folder: FilePath) throws -> Bool {
        try FileStatus.ifPresent(folder) == nil || Directory.names(in: folder).isEmpty
    }

    /// What the restore had not brought in yet, or had exchanged with what was live and not put aside yet: its backup may have
    /// gone with the backup folder.
    private func keepIncoming(_ tree: FilePath, of id: String) throws {
        // Without a number it is older than what was moved out: that is what an undo brings back first. One that is there already
        // has what clients wrote while the new data was live (`LateParts`): it is added to.
        let noted = try KeptPart.readOrPutAside(id + "_late", in: workspace.state, log: workspace.log)
        var late =
            noted
            ?? KeptPart(
                id: id + "_late", backup: "", mode: .artifacts, replacedAt: replacedAt(id).subtracting(clamped: 1),
                stack: identity)
        late.stack = identity
        late.root = workspace.stack.root
        if late.mode != .artifacts { late.mode = .full }
        late.missing = (noted?.missing ?? NewerData()) + Self.inNoBackup
        try late.write(in: workspace.state)
        let target = KeptParts(workspace).folder(of: late.id).appending("old")
        try Directory.makeInherited(target, mode: 0o700)
        let swap = ArtifactSwap(root: workspace.stack.artifacts, id: id)
        try KeptParts.mark(KeptParts(workspace).folder(of: late.id), as: .fragment)
        for name in try Directory.names(in: tree) { try swap.putAside(tree.appending(name), into: target) }
    }

    /// Why it stays, as long as nobody has compared it with anything.
    private static let inNoBackup = NewerData([
        BilingualText(zh: "没有已知的备份包含其内容", en: "no backup is known to hold what is in it")
    ])

    /// A record of what is known of it without one: no backup is known to hold any of it, so it stays until a person says.
    /// The database is found by its name, which holds the identifier of this stack's folder, else by what a record says.
    /// - Parameters:
    ///   - isNewest: whether it is of the operation that was cut short: the last one there was.
    ///   - isWhole: whether all is there that the record of before says.
    private func write(
        _ id: String, tree: FilePath?, isNewest: Bool = false, isWhole: Bool = false, on databases: any DatabaseSet
    ) throws {
        var name = RestoreJournal.databaseName(identity.database, "before", id)
        var oid = try databases.oid(of: name)
        let noted = try KeptPart.readOrPutAside(id, in: workspace.state, log: workspace.log)
        if oid == nil, let noted, let known = noted.database,
            try KeptParts(workspace, of: identity).state(of: noted, on: databases).isThere
        {
            (name, oid) = (known, noted.databaseOID)
        }
        let hasTree = try tree.map { try FileStatus.ifPresent($0) != nil } ?? false
        let mode: RestoreMode = oid == nil ? .artifacts : hasTree ? .full : .database
        var part = KeptPart(
            // When it was kept says its name; but for the newest it is older than all that have a number.
            id: id, backup: "", mode: mode,
            replacedAt: replacedAt(id), stack: identity,
            databaseOID: oid, database: oid == nil ? nil : name, replaced: noted?.replaced ?? NewerData(),
            missing: (noted?.missing ?? NewerData()) + Self.inNoBackup,
            departed: isWhole ? noted?.departed : nil,
            sequence: try noted?.sequence ?? (isNewest ? KeptPart.nextSequence(in: workspace.state) : nil))
        (part.root, part.follows, part.roots) = (workspace.stack.root, noted?.follows, noted?.roots)
        try part.write(in: workspace.state)
    }

    private func replacedAt(_ id: String) -> Int64 {
        LocalTime(stamp: String(id.prefix(15)))?.epoch ?? LocalTime.now().epoch
    }
}
