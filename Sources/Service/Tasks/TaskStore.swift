// SPDX-License-Identifier: Apache-2.0

import Synchronization
import SQLite
import SystemIO
import Wording

/// Task records in `tasks.sqlite`: they survive a restart, and several processes use them at once.
///
/// The file holds nothing but this log of our own work. A damaged one is moved aside and a new one begun: no backup
/// depends on it. All calls block and may be made from any thread.
package final class TaskStore: Sendable {
    /// The database file inside the folder that the store was opened with.
    package static let fileName = "tasks.sqlite"

    let path: FilePath
    let log: Log
    let connection: Monitor<OpenedDatabase>
    /// How many processes of this container the kernel has ended for want of memory.
    let memoryKills: @Sendable () -> Int

    /// An open database and the file that it is: the name may come to mean another file when another process
    /// moves a damaged one aside.
    struct OpenedDatabase {
        var database: SQLiteConnection
        var inode: UInt64?
    }

    /// Counts what this process has written.
    private let written = Atomic<UInt64>(0)

    /// Another number after each change that this process made.
    var changes: UInt64 { written.load(ordering: .acquiring) }

    func noteChange() { written.wrappingAdd(1, ordering: .releasing) }

    /// Opens or creates the store.
    /// - Parameter folder: must exist and be writable. WAL needs shared memory, so not a network file system.
    /// - Throws: `SQLiteError`, `TaskStoreError`, `SystemError`.
    package init(
        in folder: FilePath, log: Log, memoryKills: @escaping @Sendable () -> Int = { MemoryKills.count() }
    ) throws {
        self.memoryKills = memoryKills
        path = folder.appending(Self.fileName)
        self.log = log
        connection = Monitor(try Self.openRecovering(path, log))
    }

    /// Adds a new task with a name of its own, owned by this process.
    /// - Parameter message: what the API answers at once, as "备份任务已启动".
    package func begin(
        _ kind: TaskRecord.Kind, origin: TaskRecord.Origin, message: BilingualText, backupName: String? = nil,
        email: String? = nil
    ) throws -> TaskRecord {
        var attempts = 0
        while true {
            let now = LocalTime.now()
            let record = TaskRecord(
                id: TaskRecord.makeID(kind, at: now), kind: kind, origin: origin, message: message, createdAt: now,
                backupName: backupName, email: email)
            do {
                try insert(record)
                return record
            } catch let error as SQLiteError where error.isDuplicate && attempts < 20 {
                attempts += 1
            }
        }
    }

    /// - Throws: `SQLiteError` with `isDuplicate` where the name is taken.
    package func insert(_ record: TaskRecord) throws {
        try withDatabase { try Self.insert(record, into: $0) }
    }

    private static func insert(_ record: TaskRecord, into database: SQLiteConnection) throws {
        let columns = try record.columns()
        let names = columns.map(\.name).joined(separator: ", ")
        let places = columns.map { _ in "?" }.joined(separator: ", ")
        try database.run("INSERT INTO task (\(names)) VALUES (\(places))", columns.map(\.value))
    }

    /// Writes a record that may be there, as it is now.
    func put(_ record: TaskRecord) throws {
        try withDatabase { database in
            try database.transaction {
                guard try Self.record(record.id, in: database) == nil else {
                    return try Self.write(record, to: database)
                }
                try Self.insert(record, into: database)
            }
        }
    }

    /// Reads, changes and writes one record in one transaction. Each call waits for the disk: callers that report
    /// progress do so a few times a second at most.
    /// `change` runs while the store is locked: it must not call the store.
    /// - Returns: the record as written.
    /// - Throws: `TaskStoreError.noSuchTask`, `SQLiteError`, and what `change` throws (nothing is written then).
    @discardableResult
    package func update(_ id: String, _ change: (inout TaskRecord) throws -> Void) throws -> TaskRecord {
        try withDatabase { database in
            try database.transaction {
                guard var record = try Self.record(id, in: database) else { throw TaskStoreError.noSuchTask(id) }
                try change(&record)
                try Self.write(record, to: database)
                return record
            }
        }
    }

    /// Ends a task: sets the state, the closing message and the time, and clears the progress.
    @discardableResult
    package func finish(
        _ id: String, _ status: TaskRecord.Status, message: BilingualText, output: BilingualText? = nil,
        backupName: String? = nil, backupDirectory: String? = nil, warningCount: Int? = nil
    ) throws -> TaskRecord {
        try update(id) { record in
            record.status = status
            record.message = message
            record.completedAt = .now()
            record.progress = nil
            if let output { record.output = output }
            if let backupName { record.backupName = backupName }
            if let backupDirectory { record.backupDirectory = backupDirectory }
            if let warningCount { record.warningCount = warningCount }
        }
    }

    /// - Returns: `nil` where there is no such task.
    package func get(_ id: String) throws -> TaskRecord? {
        try withDatabase { try Self.record(id, in: $0) }
    }

    /// Newest first.
    /// - Parameters:
    ///   - status: only these; all of them by default.
    ///   - before: only those that come after this task in the list.
    ///   - limit: at most so many.
    /// - Throws: `TaskStoreError.noSuchTask` for `before`.
    package func list(
        _ status: TaskRecord.Status? = nil, before: String? = nil, limit: Int? = nil
    ) throws -> [TaskRecord] {
        try withDatabase { database in
            var conditions: [String] = []
            var values: [SQLiteValue] = []
            if let status {
                conditions.append("status = ?")
                values.append(.text(status.rawValue))
            }
            if let before {
                let place = try database.run("SELECT created_at, number FROM task WHERE id = ?", [.text(before)]).first
                guard let place else { throw TaskStoreError.noSuchTask(before) }
                conditions.append("(created_at, number) < (?, ?)")
                values += [place[0], place[1]]
            }
            let which = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND "))"
            values.append(.integer(limit.map { Int64($0) } ?? -1))
            return try database.run(
                "SELECT * FROM task \(which) ORDER BY created_at DESC, number DESC LIMIT ?", values
            ).compactMap { TaskRecord($0) }
        }
    }

    /// The newest backup that ended well or failed. One that was cancelled tells nothing of how backups end.
    /// - Parameter now: what is dated later was dated by a clock that was ahead.
    func newestEndedBackup(_ now: LocalTime) throws -> TaskRecord? {
        try withDatabase { database in
            try database.run(
                """
                SELECT * FROM task WHERE kind = ? AND status IN ('completed', 'failed') AND created_at <= ?
                AND error_code IS NOT ?
                ORDER BY created_at DESC, number DESC LIMIT 1
                """,
                [
                    .text(TaskRecord.Kind.backup.rawValue), .integer(now.epoch), .text(CancelledError().errorCode),
                ]
            ).first.flatMap { TaskRecord($0) }
        }
    }

    package func counts() throws -> TaskCounts {
        try withDatabase { database in
            var counts = TaskCounts()
            for row in try database.run("SELECT status, tasks FROM task_count") {
                let tasks = Int(row["tasks"].integer ?? 0)
                switch row["status"].text.flatMap(TaskRecord.Status.init(rawValue:)) {
                case .pending: counts.pending = tasks
                case .running: counts.running = tasks
                case .completed: counts.completed = tasks
                case .failed: counts.failed = tasks
                case nil: break
                }
            }
            return counts
        }
    }

    /// Drops records of tasks that ended more than `seconds` ago.
    /// - Returns: how many.
    package func removeFinished(olderThan seconds: Int64) throws -> Int {
        try withDatabase { database in
            try database.run(
                "DELETE FROM task WHERE status IN ('completed', 'failed') AND completed_at < ?",
                [.integer(LocalTime.now().epoch - seconds)])
            return database.changedRows
        }
    }

    static func record(_ id: String, in database: SQLiteConnection) throws -> TaskRecord? {
        try database.run("SELECT * FROM task WHERE id = ?", [.text(id)]).first.flatMap { TaskRecord($0) }
    }

    static func write(_ record: TaskRecord, to database: SQLiteConnection) throws {
        let columns = try record.columns()
        let assignments = columns.map { "\($0.name) = ?" }.joined(separator: ", ")
        try database.run("UPDATE task SET \(assignments) WHERE id = ?", columns.map(\.value) + [.text(record.id)])
    }
}
