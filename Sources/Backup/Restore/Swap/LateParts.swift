// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

/// What clients did to the new data while it was live, when a swap is put back: it was acknowledged, so it is kept, as a part
/// of its own that no undo brings back, and that stays until a person says so.
struct LateParts {
    private let workspace: Workspace
    private let databases: any DatabaseSet

    init(_ workspace: Workspace, _ databases: any DatabaseSet) {
        self.workspace = workspace
        self.databases = databases
    }

    private static func id(_ journal: RestoreJournal) -> String {
        // Journals of 0.1.0 have no identifier.
        (journal.id ?? LocalTime.now().stamp) + "_late"
    }

    private func part(_ journal: RestoreJournal, _ mode: RestoreMode) throws -> KeptPart {
        let id = Self.id(journal)
        guard var part = try KeptPart.read(id, in: workspace.state) else {
            var part = KeptPart(
                id: id, backup: journal.backup, mode: mode, replacedAt: LocalTime.now().epoch, stack: journal.stack)
            part.root = journal.root
            return part
        }
        if part.mode != mode { part.mode = .full }
        return part
    }

    /// Files that came into the unpacked tree and have no room in the live one, with that tree; and what was live and has no name
    /// to come back to, because somebody made another thing of that name meanwhile. It can be repeated.
    /// - Parameter paths: of the files, in the artifacts folder. An undo's tree stays the kept one that it was.
    /// - Returns: the part that holds them; `nil` where there is nothing.
    func keepFiles(_ paths: [String], _ journal: RestoreJournal) throws -> KeptPart? {
        let stranded = try journal.swap.stranded(journal.plan)
        let isTreeKept = journal.incoming == nil && !paths.isEmpty
        guard isTreeKept || !stranded.isEmpty else { return nil }
        var part = try part(journal, .artifacts)
        let names = (isTreeKept ? paths : []) + stranded.map { String(decoding: $0.lastComponent, as: UTF8.self) }
        part.aside += names.filter { !part.aside.contains($0) }
        part.mark = journal.mark
        part.missing = NewerData(files: part.aside) + (part.databaseOID == nil ? NewerData() : part.replaced)
        try part.write(in: workspace.state)
        let target = KeptParts(workspace).folder(of: part.id).appending("old")
        try Directory.makeInherited(target, mode: 0o700)
        if isTreeKept {
            for name in try Directory.names(in: journal.swap.new) {
                try journal.swap.putAside(journal.swap.new.appending(name), into: target)
            }
        }
        for path in stranded where try FileStatus.ifPresent(path) != nil {
            try journal.swap.putAside(path, into: target)
        }
        try Directory.sync(target)
        for name in names {
            workspace.log.warning(
                "what came in during the swap, or has lost its name, is kept aside", ["path": name, "kept": part.id])
        }
        return part
    }

    /// The database that was live and goes away again, where somebody wrote to it meanwhile, or where that cannot be told.
    /// - Returns: the part that holds it: for an undo the one that was to come back.
    func keepDatabase(_ journal: RestoreJournal) throws -> KeptPart? {
        guard let id = journal.id, let oid = journal.newOID else { return nil }
        // Looked at by a run that was cut short: what it had compared with may be gone by now.
        if try holdsDatabase(of: journal) { return try KeptPart.read(Self.id(journal), in: workspace.state) }
        let noted = try KeptPart.read(id, in: workspace.state)
        let fresh = try workspace.stack.database.rows(in: journal.newDatabase, workspace.cancellation)
        defer { fresh.close() }
        let written = try noted?.broughtIn.flatMap { try fresh.written(since: $0) }
        if let written, written.isEmpty { return nil }
        let rows = written.map { NewerData($0) } ?? NewerData.unknownRows
        var part: KeptPart
        if let undone = journal.undoes {
            guard let kept = try KeptPart.read(undone, in: workspace.state) else { return nil }
            part = kept
        } else {
            part = try self.part(journal, .database)
            part.databaseOID = oid
            part.database = journal.newDatabase
            part.replaced = rows
        }
        part.coveredBy = nil
        let files = part.isLate && !part.aside.isEmpty ? NewerData(files: part.aside) : NewerData()
        part.missing = files + rows
        try part.write(in: workspace.state)
        if journal.undoes == nil {
            try Directory.makeInherited(journal.swap.folder.appending(KeptPart.prefix + part.id), mode: 0o700)
        }
        workspace.log.warning(
            "rows were written while the new database was live: it is kept",
            ["kept": part.id, "rows": rows.shown(.english)])
        return part
    }

    /// Whether the database that was to be dropped is one of these by now.
    func holdsDatabase(of journal: RestoreJournal) throws -> Bool {
        guard journal.id != nil, let oid = journal.newOID else { return false }
        return try KeptPart.read(Self.id(journal), in: workspace.state)?.databaseOID == oid
    }
}
