// SPDX-License-Identifier: Apache-2.0

import Glibc
import MLflowStore
import SQLite
import SystemIO
import Wording

/// What a restore does with a database of SQLite.
struct SQLiteSession: StoreSession {
    let files: SQLiteDatabases

    var databases: any DatabaseSet { files }

    func checkReading(_ manifest: Manifest) throws {
        guard manifest.database.kind == .sqlite else {
            throw DatabaseStoreError.kindDiffers(backup: manifest.name, isSQLite: false)
        }
    }

    /// - Throws: `DatabaseFileError.identityNotUsable`, `.noRoom`, `.notExchangeable`, `SQLiteError`, `SystemError`.
    func checkSwap(bringing kept: String?, isAsked: Bool) throws {
        let parent = files.path.parent
        if let refused = Directory.writeRefusal(parent) {
            throw DatabaseStoreError.noFolder(path: files.folder.string, reason: refused.reasonText)
        }
        guard try files.exists(files.live) else { return }
        if let refused = Directory.changeRefusal(files.path) { throw refused }
        let live = try LiveDatabase(files.path)
        if let table = try live.virtualTable() {
            throw DatabaseFileError.notExchangeable(
                path: files.path.string,
                reason: BilingualText(zh: "含有虚拟表 \(table)", en: "\(table) is a virtual table"))
        }
        let size = try live.size()
        let restored = try kept.map { UInt64(clamping: try files.size(of: $0)) } ?? size
        // A copy of what is live, the one that is loaded, and what the exchange writes beside them.
        let needed = size.adding(clamped: kept == nil ? restored : 0)
            .adding(clamped: Exchange.room(live: size, restored: restored, try live.journal()))
        let available = try DiskSpace.at(parent).available
        guard available >= needed else {
            throw DatabaseFileError.noRoom(path: files.path.string, needed: needed, available: available)
        }
    }

    func load(_ request: LoadRequest, noting note: (UInt32?) throws -> Void) throws -> [BilingualText] {
        let source = request.dump.appending(SQLiteStore.dumpName)
        guard try FileStatus.ifPresent(source) != nil else { throw DatabaseStoreError.fileMissing(path: source.string) }
        try files.prepareFolder()
        let (number, size) = (try files.freshNumber(), try FileStatus.of(source).size)
        try note(number)
        let target = try files.file(request.names.replacement)
        let partial = SQLiteDatabases.partial(target)
        if try FileStatus.ifPresent(partial) != nil { try Directory.remove(partial) }
        do {
            try Self.move(source, to: partial, request.cancellation)
            try ContentNumber(number).give(to: partial)
            try OpenFile(partial, .read).sync()
            try DurableFile.publish(partial, as: target)
        } catch let error where error.isFullDisk {
            // It is tried again once something has made room.
            if try FileStatus.ifPresent(source) == nil { try Directory.renameWithoutReplacing(partial, to: source) }
            throw DatabaseFileError.noRoom(
                path: files.path.string, needed: size,
                available: try DiskSpace.at(files.folder).available)
        }
        let connection = try SQLiteConnection(target, as: .copy, .finished, busyTimeout: 0)
        let survey = try StoreSurvey(connection, cancellation: request.cancellation)
        try request.compare(survey.rows)
        return []
    }

    /// To another disk it is copied.
    private static func move(_ source: FilePath, to target: FilePath, _ cancellation: Cancellation) throws {
        do throws(SystemError) { return try Directory.renameWithoutReplacing(source, to: target) } catch {
            guard error.code == EXDEV else { throw error }
        }
        let (from, to) = (try OpenFile(source, .read), try OpenFile(target, .createNew(mode: 0o600)))
        let (size, piece) = (try from.status().size, UInt64(64 << 20))
        for offset in stride(from: 0, to: size, by: UInt64.Stride(piece)) {
            try cancellation.check()
            try to.copy(from: from, at: offset, length: min(piece, size - offset), to: offset)
        }
    }

    func comparison(_ swap: DatabaseNames, _ cancellation: Cancellation) throws -> any StoreLook {
        let restored = try files.file(swap.replacement)
        return try SQLiteLook(files, swap, cancellation) { copy, _, progress in
            try SQLiteComparison(live: copy, restored: restored, cancellation: cancellation)
                .findings(progress: progress)
        }
    }

    func sinceBrought(
        _ moment: String?, _ swap: DatabaseNames, _ cancellation: Cancellation
    ) throws -> any StoreLook {
        try SQLiteLook(files, swap, cancellation) { _, content, _ in
            moment.flatMap { ContentDigests($0) }.map { content.changes(since: $0) }
        }
    }
}
