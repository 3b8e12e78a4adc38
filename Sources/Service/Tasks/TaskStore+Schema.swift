// SPDX-License-Identifier: Apache-2.0

import SQLite
import SystemIO
import Wording

extension TaskStore {
    /// Raised with each change of the schema; kept in the file's `user_version`.
    static let schemaVersion = 3

    /// Opens the file, checks it, and brings it to this version's schema.
    /// - Throws: `SQLiteError` (`isCorrupt` for a file that is no sound database), `TaskStoreError.newerSchema`.
    static func openDatabase(_ path: FilePath) throws -> SQLiteConnection {
        let database = try SQLiteConnection(path, as: .taskRecords, busyTimeout: 10_000)
        try database.run("PRAGMA journal_mode = WAL")
        // FULL: a task that was answered with 202 is still known after a power cut.
        try database.run("PRAGMA synchronous = FULL")
        let verdict = try database.run("PRAGMA quick_check(1)").first?[0].text ?? ""
        if verdict != "ok" {
            throw database.damage(verdict)
        }
        do {
            if try version(of: database) != schemaVersion {
                try database.transaction { try migrate(database, path) }
            }
            if try !countsAgree(in: database) {
                try database.transaction { try countTasks(database) }
            }
            // One bit of its version, or of its schema, makes another database of it that is sound.
            let record = TaskRecord(id: "", kind: .backup, origin: .cli, message: BilingualText.empty)
            let columns = try ["number"] + record.columns().map(\.name)
            try database.run("SELECT \(columns.joined(separator: ", ")) FROM task LIMIT 0")
        } catch let error as SQLiteError where error.isOfSchema {
            throw database.damage(error.message)
        }
        return database
    }

    private static func version(of database: SQLiteConnection) throws -> Int {
        Int(try database.run("PRAGMA user_version").first?[0].integer ?? 0)
    }

    /// Asked again inside the transaction: another process may have done it meanwhile.
    private static func migrate(_ database: SQLiteConnection, _ path: FilePath) throws {
        let found = try version(of: database)
        if found > schemaVersion {
            throw TaskStoreError.newerSchema(path: path.string, found: found, known: schemaVersion)
        }
        if found < 1 {
            try database.run(firstSchema)
            try database.run("CREATE INDEX task_by_status ON task (status)")
        }
        if found < 2 {
            // Why a task failed, for programs: a code, and what was found as a JSON list of pairs.
            try database.run("ALTER TABLE task ADD COLUMN error_code TEXT")
            try database.run("ALTER TABLE task ADD COLUMN findings TEXT")
        }
        if found < 3 {
            try database.run("CREATE INDEX IF NOT EXISTS task_by_time ON task (created_at, number)")
            try database.run("CREATE INDEX IF NOT EXISTS task_by_status_and_time ON task (status, created_at, number)")
            try database.run("DROP INDEX IF EXISTS task_by_status")
            try countTasks(database)
        }
        try database.run("PRAGMA user_version = \(schemaVersion)")
    }

    /// Whether what the triggers have counted is so. A bit that flipped in the table, or in the version, shows here alone.
    private static func countsAgree(in database: SQLiteConnection) throws -> Bool {
        let parts = try database.run(
            "SELECT name FROM sqlite_master WHERE name IN ('task_count', 'task_added', 'task_removed', 'task_changed')")
        guard parts.count == 4 else { return false }
        return try database.run(
            """
            SELECT status, count(*) FROM task GROUP BY status
            EXCEPT SELECT status, tasks FROM task_count
            """
        ).isEmpty
    }

    /// How many there are of each state, kept by the database itself: a million records take a second to count.
    private static func countTasks(_ database: SQLiteConnection) throws {
        try database.run(
            "CREATE TABLE IF NOT EXISTS task_count (status TEXT PRIMARY KEY, tasks INTEGER NOT NULL) WITHOUT ROWID")
        try database.run("DELETE FROM task_count")
        try database.run("INSERT INTO task_count SELECT status, count(*) FROM task GROUP BY status")
        let added = """
            INSERT INTO task_count VALUES (NEW.status, 1) ON CONFLICT (status) DO UPDATE SET tasks = tasks + 1;
            """
        let removed = "UPDATE task_count SET tasks = tasks - 1 WHERE status = OLD.status;"
        try database.run("CREATE TRIGGER IF NOT EXISTS task_added AFTER INSERT ON task BEGIN \(added) END")
        try database.run("CREATE TRIGGER IF NOT EXISTS task_removed AFTER DELETE ON task BEGIN \(removed) END")
        try database.run(
            "CREATE TRIGGER IF NOT EXISTS task_changed AFTER UPDATE OF status ON task WHEN NEW.status <> OLD.status BEGIN \(removed) \(added) END"
        )
    }

    /// Times are seconds since 1970-01-01 UTC, `owner` is a `ProcessIdentity` in JSON. `number` orders tasks of the same second.
    private static let firstSchema = """
        CREATE TABLE task (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            origin TEXT NOT NULL,
            status TEXT NOT NULL,
            message_zh TEXT NOT NULL,
            message_en TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            started_at INTEGER,
            completed_at INTEGER,
            backup_name TEXT,
            output_zh TEXT,
            output_en TEXT,
            backup_directory TEXT,
            phase_zh TEXT,
            phase_en TEXT,
            fraction REAL,
            done_bytes INTEGER,
            total_bytes INTEGER,
            warning_count INTEGER,
            notice_zh TEXT,
            notice_en TEXT,
            email TEXT,
            owner TEXT NOT NULL
        )
        """
}
