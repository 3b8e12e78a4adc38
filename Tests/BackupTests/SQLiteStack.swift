// SPDX-License-Identifier: Apache-2.0

import Archive
import MLflowStore
import SQLite
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// A live MLflow on SQLite in small: its tables in a file, its artifacts in a folder, and a backup folder beside them.
final class SQLiteStack: Sendable {
    let root: TemporaryFolder
    let database: FilePath
    let artifacts: FilePath
    let folder: BackupFolder

    /// - Parameter wal: whether readers and writers go on side by side.
    init(_ name: String, wal: Bool = false) throws {
        root = try TemporaryFolder(name)
        database = root.path.appending("db").appending("mlflow.db")
        artifacts = root.path.appending("artifacts")
        folder = BackupFolder(root.path.appending("backups"))
        try Directory.make(artifacts)
        try Directory.make(database.parent)
        try folder.prepare()
        _ = try ArtifactsMark.ensure(in: artifacts, using: folder)
        let connection = try SQLiteConnection(database, as: .live, .create, busyTimeout: 10_000)
        if wal { try connection.run("PRAGMA journal_mode = WAL") }
        for statement in Self.tables { try connection.run(statement) }
        try add(runs: 1...20)
    }

    private static let tables = [
        "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('dc11669786a5')",
        "CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256) UNIQUE, artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32), creation_time BIGINT)",
        "INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active', 1790000000000), (1, 'work', 'mlflow-artifacts:/1', 'active', 1790000000001)",
        "CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, start_time BIGINT, experiment_id INTEGER REFERENCES experiments)",
        "CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, step BIGINT, run_uuid VARCHAR(32) REFERENCES runs, PRIMARY KEY (key, timestamp, step, run_uuid, value))",
        "CREATE TABLE tags (key VARCHAR(250), value VARCHAR(5000), run_uuid VARCHAR(32) REFERENCES runs, PRIMARY KEY (key, run_uuid))",
    ]

    /// A client of the database's, for one call.
    @discardableResult
    func run(_ sql: String, _ values: [SQLiteValue] = []) throws -> [SQLiteRow] {
        try SQLiteConnection(database, as: .live, .readWrite, busyTimeout: 20_000).run(sql, values)
    }

    /// As MLflow does it: the files first, then the row that names them.
    func add(runs numbers: ClosedRange<Int>) throws {
        for number in numbers {
            let path = artifacts.appending("1").appending("run\(number)").appending("artifacts")
            try Directory.make(path)
            let content =
                Array("model of run\(number)\n".utf8) + [UInt8](repeating: UInt8(number & 255), count: number * 1000)
            try DurableFile.replace(path.appending("model.bin"), with: content)
            try run(
                "INSERT INTO runs VALUES (?, ?, 1)",
                [.text("run\(number)"), .integer(1_790_000_000_000 + Int64(number))])
            try run(
                "INSERT INTO metrics VALUES ('loss', ?, ?, 1, ?)",
                [.real(1 / Double(number)), .integer(1_790_000_000_000 + Int64(number)), .text("run\(number)")])
        }
    }

    func stack(mlflowVersion: String? = "3.17.2") throws -> LiveStack {
        LiveStack(
            database: SQLiteStore(try SQLiteLocation(uri: "sqlite:///\(database)")), artifacts: artifacts,
            mlflowVersion: { mlflowVersion })
    }

    func workspace(
        _ cancellation: Cancellation = Cancellation(), _ progress: @escaping ProgressSink = { _ in },
        _ folder: BackupFolder? = nil
    ) throws -> Workspace {
        Workspace(
            try stack(), folder ?? self.folder, log: .silent, cancellation: cancellation, progress: progress)
    }

    @discardableResult
    func backup(_ kind: BackupName.Kind = .compressed) throws -> BackupOutcome {
        try BackupJob(workspace(), options: .init(kind: kind), version: "test").run()
    }

    @discardableResult
    func restore(
        _ name: String, _ mode: RestoreMode = .full, force: Bool = false, backingUp: Bool = false,
        progress: @escaping ProgressSink = { _ in }
    ) throws -> RestoreOutcome {
        try RestoreJob(
            workspace(Cancellation(), progress),
            options: .init(
                mode: mode, force: force, backupFirst: backingUp ? .init(options: .init(), version: "test") : nil)
        ).run(name)
    }

    @discardableResult
    func undo(force: Bool = false) throws -> UndoOutcome { try UndoJob(workspace(), force: force).run() }

    @discardableResult
    func recover() throws -> RestoreRecovery.Outcome { try RecoverJob(workspace()).run() }

    /// A restore that ends as if it were killed right after it wrote `stage` into its journal.
    /// - Parameter swapping: whether it dies after the next step, the exchange of the databases.
    @discardableResult
    func interruptRestore(
        of name: String, at stage: RestoreJournal.Stage, swapping: Bool = false
    ) throws -> RestoreJournal {
        let job = RestoreJob(try workspace(), options: .init(force: true))
        let item = try Catalogue(folder).item(named: name)
        let hold = try workspace().hold("test")
        defer { withExtendedLifetime(hold) {} }
        var journal = try job.journal(for: item, hold)
        try journal.write(in: workspace().state)
        let staged = try job.stage(item, try job.manifest(of: item), &journal, hold)
        staged.comparison.close()
        if stage != .preparing {
            let swap = DataSwap(workspace: try workspace(), hold: hold, force: true)
            try swap.ready(&journal) {}
            try swap.commit(&journal, NewerData(), nil, nil, staged.broughtIn)
        }
        if swapping {
            try hold.databases.swap(
                live: journal.liveDatabase, replacement: journal.newDatabase, keepingOldAs: journal.oldDatabase)
        }
        return journal
    }

    /// As a restore whose swap failed does it.
    func rollBack(_ journal: RestoreJournal) throws -> RestoreRecovery {
        let hold = try workspace().hold("test")
        defer { withExtendedLifetime(hold) {} }
        var recovery = RestoreRecovery(try workspace(), hold.databases)
        try recovery.rollBack(journal)
        return recovery
    }

    var beside: FilePath { FilePath("\(database).mlflow-backup.d") }

    /// Of what lies in our folder beside the database.
    func namesBeside() throws -> [String] {
        guard try FileStatus.ifPresent(beside) != nil else { return [] }
        return try Directory.names(in: beside).map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    /// Every row, in order.
    func rows() throws -> String {
        guard try FileStatus.ifPresent(database) != nil else { return "none" }
        var all = ""
        let connection = try SQLiteConnection(database, as: .live, .readWrite, busyTimeout: 20_000)
        for table in ["alembic_version", "experiments", "runs", "metrics", "tags"] {
            let rows = try connection.run("SELECT * FROM \(table) ")
            all +=
                "\(table)\n"
                + rows.map { row in (0..<row.count).map { "\(row[$0])" }.joined(separator: "|") }
                .sorted().joined(separator: "\n") + "\n"
        }
        return all
    }

    /// Every file with its digest, and every folder.
    func files() throws -> String { try contentOfArtifacts(artifacts) }

    /// Nothing of a restore is left but what it kept.
    func expectNothingLeftBehind(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let kept = try KeptParts(stack(), folder).all()
        #expect(try namesBeside() == kept.compactMap(\.database).sorted(), sourceLocation: sourceLocation)
        let own = artifacts.appending(".mlflow-backup-restore")
        let names = try FileStatus.ifPresent(own) == nil ? [] : Directory.names(in: own)
        let unknown = names.map { String(decoding: $0, as: UTF8.self) }.filter { name in
            !kept.contains { "kept-\($0.id)" == name }
        }
        #expect(unknown.isEmpty, sourceLocation: sourceLocation)
        #expect(try FileStatus.ifPresent(folder.restoreJournal) == nil, sourceLocation: sourceLocation)
    }
}
