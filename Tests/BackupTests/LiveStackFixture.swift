// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// A live MLflow in small: its tables in a real database, its files in a folder, and a backup folder beside them.
final class LiveStackFixture: Sendable {
    let server: TemporaryPostgres
    let database: ConnectionSettings
    let root: TemporaryFolder
    let artifacts: FilePath
    let folder: BackupFolder
    /// Where MLflow's tables are.
    let schema: String

    /// - Parameters:
    ///   - server: one of the test's own, where it is held as a whole.
    ///   - patience: `ConnectionSettings.patience`.
    ///   - schema: made where it is not there.
    init(
        _ name: String, on server: TemporaryPostgres? = nil, patience: Double = 60, schema: String = "public"
    ) throws {
        self.schema = schema
        self.server = try server ?? .shared
        database = try self.server.freshDatabase(name).waiting(atMost: patience)
        root = try TemporaryFolder(name)
        artifacts = root.path.appending("artifacts")
        folder = BackupFolder(root.path.appending("backups"))
        try Directory.make(artifacts)
        // As after the first backup: making the mark changes the folder's times, which some tests look at.
        try folder.prepare()
        _ = try ArtifactsMark.ensure(in: artifacts, using: folder)
        try Connection(database).execute("create schema if not exists \(identifier: schema)")
        let connection = try session()
        for statement in Self.tables { try connection.execute(statement) }
        try add(runs: 1...20)
        try awaitOlderTransactions()
    }

    /// Waits, at most half a minute, until what ran on the server when this was called has ended: the transaction of
    /// another test that began before these rows would make them look younger than a backup made now, which then does
    /// not count as one that holds them. That is right, and not what a test on a shared server is about.
    func awaitOlderTransactions() throws {
        let connection = try Connection(database)
        let next = try connection.rows("select pg_snapshot_xmax(pg_current_snapshot())::text as next")[0].string("next")
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            let oldest = try connection.rows(
                "select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= \(next)::bigint)::text as ended")
            if try oldest[0].string("ended") == "true" { return }
            usleep(10000)
        }
    }

    /// The columns that the product looks at, as MLflow 3.17 names them.
    private static let tables: [SQL] = [
        "create table alembic_version (version_num varchar(32) primary key)",
        "insert into alembic_version values ('dc11669786a5')",
        "create table experiments (experiment_id integer primary key, name text unique, creation_time bigint, last_update_time bigint, lifecycle_stage text)",
        "insert into experiments values (0, 'Default', 1790000000000, 1790000000000, 'active'), (1, 'work', 1790000000001, 1790000000001, 'active')",
        "create table runs (run_uuid varchar(32) primary key, start_time bigint, experiment_id integer references experiments)",
        """
        create table metrics (key text, value double precision, timestamp bigint, step bigint, run_uuid varchar(32) references runs,
          primary key (key, timestamp, step, run_uuid, value))
        """,
        "create table latest_metrics (key text, value double precision, timestamp bigint, run_uuid varchar(32), primary key (key, run_uuid))",
        "create table registered_models (name text primary key, creation_time bigint)",
    ]

    /// As MLflow's: it finds its tables where they are.
    func session() throws -> Connection {
        let session = try Connection(database)
        if schema != "public" { try session.execute("set search_path to \(identifier: schema)") }
        return session
    }

    /// As MLflow does it: the files first, then the row that names them.
    func add(runs numbers: ClosedRange<Int>) throws {
        let connection = try session()
        for number in numbers {
            let run = "run\(number)"
            let path = artifacts.appending("1").appending(run).appending("artifacts")
            try Directory.make(path)
            let content =
                Array("model of \(run)\n".utf8) + [UInt8](repeating: UInt8(number & 255), count: number * 1000)
            try DurableFile.replace(path.appending("model.bin"), with: content)
            try connection.execute("insert into runs values (\(run), \(1_790_000_000_000 + number), 1)")
            try connection.execute(
                "insert into metrics values ('loss', \(1 / number), \(1_790_000_000_000 + number), 1, \(run))")
        }
    }

    /// As after `claim`: what is at the path now takes the place of the folder that was used.
    func prepareAnew() throws {
        try folder.prepare()
        try folder.takePlace(in: artifacts)
    }

    var stack: LiveStack { stack(artifacts: artifacts) }

    /// The stack with its artifacts elsewhere.
    func stack(
        artifacts: FilePath, servedNames: @escaping @Sendable () throws -> [String]? = { nil },
        ignored: IgnoredPlaces = .none, keys: ServerKeys = .none
    ) -> LiveStack {
        LiveStack(
            database: database, tools: PostgresTools(binDirectory: server.binDirectory), artifacts: artifacts,
            mlflowVersion: { "3.17.2" }, servedNames: servedNames, ignored: ignored, keys: keys)
    }

    @discardableResult
    func backup(
        _ kind: BackupName.Kind = .compressed, retention: RetentionRule = .default,
        cancellation: Cancellation = Cancellation(), progress: @escaping ProgressSink = { _ in }
    ) throws -> BackupOutcome {
        try awaitOlderTransactions()
        return try BackupJob(
            workspace(cancellation, progress), options: .init(kind: kind, retention: retention), version: "test"
        ).run()
    }

    func workspace(
        _ cancellation: Cancellation = Cancellation(), _ progress: @escaping ProgressSink = { _ in },
        _ folder: BackupFolder? = nil
    ) -> Workspace {
        Workspace(stack, folder ?? self.folder, log: .silent, cancellation: cancellation, progress: progress)
    }

    /// The same stack with another backup folder.
    func workspace(folder: BackupFolder) -> Workspace { Workspace(stack, folder, log: .silent) }

    @discardableResult
    func restore(
        _ name: String, _ mode: RestoreMode = .full, force: Bool = false, cancellation: Cancellation = Cancellation(),
        progress: @escaping ProgressSink = { _ in }
    ) throws -> RestoreOutcome {
        try RestoreJob(workspace(cancellation, progress), options: .init(mode: mode, force: force)).run(name)
    }

    /// A restore that ends as if it were killed right after it wrote `stage` into its journal: what it had prepared lies
    /// there, and its locks are gone.
    /// - Parameters:
    ///   - swappingDatabases: whether it dies after the next step, the swap of the databases.
    ///   - before: what else it did before it wrote that stage.
    @discardableResult
    func interruptRestore(
        of name: String, _ mode: RestoreMode = .full, at stage: RestoreJournal.Stage = .committing,
        swappingDatabases: Bool = false,
        before: (RestoreJournal, RestoreJob.Staged, Hold) throws -> Void = { _, _, _ in }
    ) throws -> RestoreJournal {
        let job = RestoreJob(workspace(), options: .init(mode: mode, force: true))
        let item = try Catalogue(folder).item(named: name)
        let hold = try workspace().hold("test")
        defer { withExtendedLifetime(hold) {} }
        var journal = try job.journal(for: item, hold)
        try journal.write(in: workspace().state)
        let staged = try job.stage(item, try job.manifest(of: item), &journal, hold)
        staged.comparison.close()
        try before(journal, staged, hold)
        if stage != .preparing {
            journal.mark = try LateArrivals.mark(in: journal.swap.work)
            journal.workInode = try FileStatus.of(journal.swap.work).inode
            journal.present = mode.includesArtifacts ? try journal.swap.present() : nil
            journal.plan = mode.includesArtifacts ? try journal.swap.plan() : nil
            journal.stage = stage
            try journal.write(in: workspace().state)
        }
        if swappingDatabases {
            try hold.databases.swap(
                live: journal.liveDatabase, replacement: journal.newDatabase, keepingOldAs: journal.oldDatabase)
        }
        return journal
    }

    /// Every row, in order.
    func rows() throws -> String {
        let connection = try session()
        var all = ""
        for table in ["alembic_version", "experiments", "runs", "metrics", "registered_models"] {
            let rows = try connection.rows("select t::text as line from \(identifier: table) t order by 1")
            all += "\(table)\n" + (try rows.map { try $0.string("line") }.joined(separator: "\n")) + "\n"
        }
        return all
    }

    /// Every file with its digest, and every folder.
    func files() throws -> String { try contentOfArtifacts(artifacts) }

    func names() throws -> [String] { try Catalogue(folder).items().map(\.name.string) }

    /// Nothing of a restore is left but what it kept: no side database, no staging, no journal.
    func expectNothingLeftBehind(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let databases = Databases(database)
        let kept = try KeptParts(stack, folder).all()
        let known = Set(try kept.compactMap { try $0.databaseOID.flatMap { try databases.name(of: $0) } })
        let found = try databases.names(withPrefix: "\(database.database)_").filter { !known.contains($0) }
        #expect(found.isEmpty, sourceLocation: sourceLocation)
        let staging = artifacts.appending(".mlflow-backup-restore")
        let names = try FileStatus.ifPresent(staging) == nil ? [] : Directory.names(in: staging)
        let recorded = try KeptPart.ids(in: workspace().state).filter { id in
            try workspace().state.existing("kept-\(id).json")?.parent == workspace().state.beside
        }
        let unknown = names.map { String(decoding: $0, as: UTF8.self) }.filter { name in
            !kept.contains { "kept-\($0.id)" == name } && (recorded.isEmpty || name != RestoreState.name)
        }
        #expect(unknown.isEmpty, sourceLocation: sourceLocation)
        #expect(try FileStatus.ifPresent(folder.restoreJournal) == nil, sourceLocation: sourceLocation)
    }

    @discardableResult
    func recover() throws -> RestoreRecovery.Outcome { try RecoverJob(workspace()).run() }

    @discardableResult
    func undo(force: Bool = false) throws -> UndoOutcome { try UndoJob(workspace(), force: force).run() }
}

extension LiveStack {
    /// One on PostgreSQL.
    init(
        database: ConnectionSettings, tools: PostgresTools, artifacts: FilePath, further: [ArtifactFolder] = [],
        remote: [RemoteRoot] = [], mlflowVersion: @escaping @Sendable () -> String?, server: TrackingServer? = nil,
        stopsServer: Bool = false,
        asksForLogin: @escaping @Sendable () -> Bool = { false },
        servedNames: @escaping @Sendable () throws -> [String]? = { nil }, ignored: IgnoredPlaces = .none,
        keys: ServerKeys = .none
    ) {
        self.init(
            database: PostgresStore(database, tools: tools), artifacts: artifacts, further: further,
            remote: remote, mlflowVersion: mlflowVersion, server: server, stopsServer: stopsServer,
            asksForLogin: asksForLogin,
            servedNames: servedNames, ignored: ignored, keys: keys)
    }

    var postgres: PostgresStore {
        guard let store = database as? PostgresStore else { preconditionFailure("not on PostgreSQL") }
        return store
    }
}

/// Every file with its digest, and every folder, but for what is ours.
func contentOfArtifacts(_ artifacts: FilePath) throws -> String {
    try Shell.sh(
        "cd '\(artifacts)' && find . -path ./.mlflow-backup-restore -prune -o -name .mlflow-backup-stack -o -print | sort && find . -path ./.mlflow-backup-restore -prune -o -type f ! -name .mlflow-backup-stack -print0 | sort -z | xargs -0 -r sha256sum"
    )
}
