// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO

/// What clients did to the new data while it was live, when a swap is put back: it was acknowledged, so it is kept, as a part
/// of its own that is older than all others. No undo takes it for the newest, and it stays until a person says so.
struct LateParts {
    private let workspace: Workspace
    private let databases: Databases

    init(_ workspace: Workspace, _ databases: Databases) {
        self.workspace = workspace
        self.databases = databases
    }

    private static func id(_ journal: RestoreJournal) -> String {
        // Journals of 0.1.0 have no identifier.
        (journal.id ?? LocalTime.now().stamp) + "_late"
    }

    private func part(_ journal: RestoreJournal, _ mode: RestoreMode) throws -> KeptPart {
        let id = Self.id(journal)
        guard var part = try KeptPart.read(id, in: workspace.folder) else {
            return KeptPart(
                id: id, backup: journal.backup, mode: mode, replacedAt: LocalTime.now().epoch, stack: journal.stack)
        }
        if part.mode != mode { part.mode = .full }
        return part
    }

    /// The unpacked tree as a whole, because files came into it that the live tree has no room for.
    /// - Returns: the part that holds it; `nil` for an undo, whose tree stays the kept one that it was.
    func keepTree(_ paths: [String], _ journal: RestoreJournal) throws -> KeptPart? {
        guard journal.incoming == nil, journal.id != nil else { return nil }
        var part = try part(journal, .artifacts)
        part.aside += paths.filter { !part.aside.contains($0) }
        part.mark = journal.mark
        part.missing = (part.missing ?? NewerData()) + NewerData(files: paths)
        try part.write(in: workspace.folder)
        let target = try folder(of: part)
        try Directory.renameWithoutReplacing(journal.swap.new, to: target)
        for path in paths {
            workspace.log.warning(
                "a file that came in during the swap is kept aside", ["path": path, "kept": part.id])
        }
        return part
    }

    /// What was live and has no name to come back to: somebody made another thing of that name meanwhile.
    /// - Returns: the part that holds it; `nil` where there is nothing.
    func keepStranded(_ journal: RestoreJournal) throws -> KeptPart? {
        let stranded = try journal.swap.stranded(journal.plan)
        guard !stranded.isEmpty else { return nil }
        let names = stranded.map { String(decoding: $0.lastComponent, as: UTF8.self) }
        var part = try part(journal, .artifacts)
        part.aside += names
        part.missing = (part.missing ?? NewerData()) + NewerData(files: names)
        try part.write(in: workspace.folder)
        let target = try folder(of: part)
        try Directory.make(target, mode: 0o700)
        for path in stranded {
            try journal.swap.putAside(path, into: target)
            workspace.log.warning(
                "what was live is kept aside, because its name is taken", ["path": path, "kept": part.id])
        }
        try Directory.sync(target)
        return part
    }

    /// The database that was live and goes away again, where somebody wrote to it meanwhile, or where that cannot be told.
    /// - Returns: the part that holds it: for an undo the one that was to come back.
    func keepDatabase(_ journal: RestoreJournal) throws -> KeptPart? {
        guard let id = journal.id, let oid = journal.newOID else { return nil }
        let noted = try KeptPart.read(id, in: workspace.folder)
        let fresh = try FreshRows(workspace.stack.database.naming(database: journal.newDatabase))
        defer { fresh.close() }
        let written = try noted?.broughtIn.flatMap { try fresh.written(since: $0) }
        if let written, written.isEmpty { return nil }
        let rows = written.map { NewerData($0) } ?? NewerData.unknownRows
        var part: KeptPart
        if let undone = journal.undoes {
            guard let kept = try KeptPart.read(undone, in: workspace.folder) else { return nil }
            part = kept
        } else {
            part = try self.part(journal, .database)
            part.databaseOID = oid
            part.database = journal.newDatabase
            part.replaced = rows
        }
        part.coveredBy = nil
        part.missing = (part.missing ?? NewerData()) + rows
        try part.write(in: workspace.folder)
        if journal.undoes == nil {
            try Directory.make(journal.swap.folder.appending(KeptPart.prefix + part.id), mode: 0o700)
        }
        workspace.log.warning(
            "rows were written while the new database was live: it is kept",
            ["kept": part.id, "rows": rows.shown(.english)])
        return part
    }

    /// Whether the database that was to be dropped is one of these by now.
    func holdsDatabase(of journal: RestoreJournal) throws -> Bool {
        guard journal.id != nil, let oid = journal.newOID else { return false }
        return try KeptPart.read(Self.id(journal), in: workspace.folder)?.databaseOID == oid
    }

    /// Where its tree goes.
    private func folder(of part: KeptPart) throws -> FilePath {
        let folder = KeptParts(workspace).folder(of: part.id)
        try Directory.make(folder, mode: 0o700)
        return folder.appending("old")
    }
}
