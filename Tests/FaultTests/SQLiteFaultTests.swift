// SPDX-License-Identifier: Apache-2.0

import SQLite
import SystemIO
import TestSupport
import Testing

/// Disks that refuse, fill up and die, and kills at every change of a file, of a stack on SQLite: of all that is written beside the
/// database, and into it. What happens to backups is tried in `FileFaultTests`.
@Suite(.besideThePool) struct SQLiteFaultTests {
    enum Attempt: String, CaseIterable, CustomTestStringConvertible {
        case backup, restore, undo, recover
        var testDescription: String { rawValue }

        func arguments(_ stack: SQLiteFaultStack) -> [String] {
            switch self {
            case .backup: ["backup", "--quiet"]
            case .restore: ["restore", "--force", "--no-backup", stack.archive]
            case .undo: ["restore", "--undo", "--force", "--no-backup"]
            case .recover: ["recover"]
            }
        }

        /// Every so manyth fault of the sample, twice as many in the long form.
        var share: Int {
            switch self {
            case .backup: 16
            case .restore: 8
            case .undo: 12
            case .recover: 10
            }
        }
    }

    @Test(
        "whatever the disk does, and wherever it is killed, it is old or new, and the next run works",
        arguments: Attempt.allCases, [false, true])
    func faults(_ attempt: Attempt, wal: Bool) throws {
        let stack = try SQLiteFaultStack(wal: wal)
        try stack.reset(attempt)
        let (ended, trace) = try stack.program.trace(attempt.arguments(stack))
        try #require(ended.succeeded, "without a fault: \(ended.saying)")
        // Both journal modes share most of their call sites.
        let faults = FaultPlan.files(trace, share: attempt.share, records: false, composed: false)
        try #require(trace.contains { $0.place.hasPrefix("database/mlflow.db") })
        var tally = Tally("\(attempt.rawValue) on SQLite, \(wal ? "WAL" : "rollback journal")")
        for fault in faults { tally.add(fault, stack.verdict(attempt, fault)) }
        print(tally.summary("\(trace.count) steps, "))
        tally.expectMost()
    }
}

/// As `FaultStack`, with its database in a file.
final class SQLiteFaultStack: Sendable {
    let root: TemporaryFolder
    let program: Program
    let archive: String
    private let wal: Bool
    private let (old, new): (String, String)

    private var database: FilePath { root.path.appending("database").appending("mlflow.db") }
    private var beside: FilePath { FilePath("\(database).mlflow-backup.d") }
    private static let folders = ["backups", "artifacts", "database"]

    init(wal: Bool) throws {
        self.wal = wal
        root = try Ground.folder("sqlite-faults")
        let path = root.path
        for folder in Self.folders { try Directory.make(path.appending(folder)) }
        program = Program(environment: [
            "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "BACKUP_LANG": "en",
            "BACKUP_DIR": path.appending("backups").string, "ARTIFACTS_DIR": path.appending("artifacts").string,
            "BACKEND_STORE_URI": "sqlite:///\(path)/database/mlflow.db", "MLFLOW_URL": "http://127.0.0.1:1",
            "LOG_SYSLOG": "false", "BACKUP_MAX_BACKUPS": "1000",
            "FAULT_UNDER": Self.folders.map { "\($0)=\(path)/\($0)" }.joined(separator: ":"),
        ])
        let file = path.appending("database").appending("mlflow.db")
        try Self.fill(file, path.appending("artifacts"), 1...12, wal: wal)
        new = try Self.fingerprint(file, path.appending("artifacts"))
        let made = try program.run(["backup", "--quiet"])
        guard made.succeeded else { throw CaseFailed("the first backup: \(made.saying)") }
        archive = try Listing(program).names.first ?? ""
        try Self.fill(file, path.appending("artifacts"), 13...16, wal: wal)
        old = try Self.fingerprint(file, path.appending("artifacts"))
        try Directory.make(path.appending("initial"))
        try Shell.sh("cd '\(path)' && cp -a \(Self.folders.joined(separator: " ")) initial/")
    }

    private static func fill(
        _ file: FilePath, _ artifacts: FilePath, _ runs: ClosedRange<Int>, wal: Bool
    ) throws {
        let connection = try SQLiteConnection(file, as: .live, .create, busyTimeout: 10_000)
        if wal { try connection.run("PRAGMA journal_mode = WAL") }
        for statement in [
            "CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT PRIMARY KEY)",
            "INSERT OR IGNORE INTO alembic_version VALUES ('dc11669786a5')",
            "CREATE TABLE IF NOT EXISTS experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, lifecycle_stage TEXT)",
            "INSERT OR IGNORE INTO experiments VALUES (0, 'Default', 'active'), (1, 'work', 'active')",
            "CREATE TABLE IF NOT EXISTS runs (run_uuid TEXT PRIMARY KEY, start_time INTEGER, note BLOB)",
        ] { try connection.run(statement) }
        for run in runs {
            try connection.run(
                "INSERT INTO runs VALUES (?, ?, randomblob(20000))", [.text("run\(run)"), .integer(Int64(run))])
            let folder = artifacts.appending("1").appending("run\(run)")
            try Directory.make(folder)
            try OpenFile(folder.appending("model"), .createNew(mode: 0o644)).write(Array("model \(run)\n".utf8))
        }
    }

    /// Rows and bytes.
    private static func fingerprint(_ file: FilePath, _ artifacts: FilePath) throws -> String {
        let connection = try SQLiteConnection(file, as: .live, .readWrite, busyTimeout: 10_000)
        guard try connection.run("PRAGMA integrity_check").first?[0].text == "ok" else { return "damaged" }
        let rows = try connection.run("SELECT run_uuid, start_time, hex(note) FROM runs ORDER BY 1")
        let text = rows.map { row in "\(row[0]) \(row[1]) \(row[2])" }.joined(separator: "\n")
        return text
            + (try Shell.sh(
                """
                cd '\(artifacts)' && find . -name '.mlflow-backup-*' -prune -o -type f -print0 | sort -z | xargs -0 -r sha256sum
                """))
    }

    private func live() -> String {
        do { return try Self.fingerprint(database, root.path.appending("artifacts")) } catch {
            return "unreadable: \(error)"
        }
    }

    private func named(_ state: String) -> String {
        state == new ? "new" : state == old ? "old" : "a mixture: \(state.prefix(200))"
    }

    func reset(_ attempt: SQLiteFaultTests.Attempt) throws {
        try Shell.sh("cd '\(root.path)' && rm -rf \(Self.folders.joined(separator: " ")) && cp -a initial/. .")
        let read = try program.run(["verify", "--all", "--quiet"])
        guard read.succeeded else { throw CaseFailed("the copy of the backup: \(read.saying)") }
        switch attempt {
        case .backup, .restore: break
        case .undo:
            let made = try program.run(["restore", "--quiet", "--force", "--no-backup", archive])
            guard made.succeeded else { throw CaseFailed("the restore to be undone: \(made.saying)") }
        case .recover:
            // With a rollback journal before the exchange is committed, by the removal of the second journal beside the live file: the first is
            // of its number. In WAL mode right after it.
            let line =
                wal
                ? "w\tunlink\tdatabase/mlflow.db.mlflow-backup.d/*_restore_*" : "w\tunlink\tdatabase/mlflow.db-journal"
            let fault = Step(line: line[...]).map { Fault($0, number: wal ? 1 : 2, .killBefore) }
            let killed = try program.run(["restore", "--quiet", "--force", "--no-backup", archive], fault)
            guard killed.hit else { throw CaseFailed("the restore to be recovered was not killed: \(killed.saying)") }
        }
    }

    func verdict(_ attempt: SQLiteFaultTests.Attempt, _ fault: Fault) -> Trial.Verdict {
        do {
            try reset(attempt)
            let ended = try program.run(attempt.arguments(self), fault)
            return .init(wrong: try judge(attempt, ended, fault), isHit: ended.hit)
        } catch { return .init(wrong: ["\(error)"], isHit: true) }
    }

    private func judge(
        _ attempt: SQLiteFaultTests.Attempt, _ ended: Program.Ended, _ fault: Fault
    ) throws -> [String] {
        var wrong: [String] = []
        func expect(_ holds: Bool, _ what: String) { if !holds { wrong.append(what) } }
        if !ended.hit, !ended.succeeded { wrong.append("no fault was met and it failed: \(ended.saying)") }
        if ended.succeeded {
            let state = live()
            switch attempt {
            case .backup, .undo: expect(state == old, "exit status 0, but the live data is \(named(state))")
            case .restore: expect(state == new, "exit status 0, but the live data is \(named(state))")
            case .recover: expect(state == old || state == new, "exit status 0, but the live data is \(named(state))")
            }
        }
        let recovered = try program.run(["recover"])
        expect(recovered.succeeded, "recover: \(recovered.saying)")
        let state = live()
        expect(attempt == .backup ? state == old : state == old || state == new, "afterwards it is \(named(state))")
        let backup = try program.later(60).run(["backup", "--quiet", "--max-backups", "1000"])
        expect(backup.succeeded, "the next backup: \(backup.saying)")
        expect(live() == state, "the next backup changed the live data")
        // What is kept, and nothing else.
        let left = try FileStatus.ifPresent(beside) == nil ? [] : Directory.names(in: beside)
        expect(left.count <= 1, "left beside the database: \(left.map { String(decoding: $0, as: UTF8.self) })")
        if state == new {
            // What was replaced comes back.
            let undone = try program.later(120).run(["restore", "--undo", "--force", "--no-backup"])
            expect(undone.succeeded && live() == old, "the undo: \(undone.saying), \(named(live()))")
        }
        return wrong
    }
}
