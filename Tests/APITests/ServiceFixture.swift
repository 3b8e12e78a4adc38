// SPDX-License-Identifier: Apache-2.0

import API
import Backup
import Foundation
import Glibc
import HTTPServer
import Postgres
@testable import Service
import SystemIO
import TestSupport
import Testing

/// The service and its API in this process, on a real PostgreSQL: the tables that the product looks at, and a few files.
/// There is no socket and no MLflow; StackTests has both.
final class ServiceFixture: Sendable {
    let root: TemporaryFolder
    let database: ConnectionSettings
    let service: StackService
    private let api: StackAPI
    private let environment: [String: String]

    /// - Parameters:
    ///   - settings: more settings, by their names.
    ///   - log: of the service.
    ///   - before: called before the service opens the folder, as something that an earlier process left.
    init(
        _ name: String, settings: [String: String] = [:], log: Log = .silent,
        before: (BackupFolder, _ database: String) throws -> Void = { _, _ in }
    ) throws {
        let server = try TemporaryPostgres.shared
        database = try server.freshDatabase(name)
        root = try TemporaryFolder(name)
        try root.write("artifacts/1/run1/artifacts/model.bin", [UInt8](repeating: 7, count: 20_000))
        let connection = try Connection(database)
        for statement in Self.schema { try connection.execute(statement) }
        var environment = [
            "BACKUP_DIR": root.path.appending("backups").string,
            "ARTIFACTS_DIR": root.path.appending("artifacts").string,
            "POSTGRES_HOST": database.host, "POSTGRES_PORT": "\(database.port)", "POSTGRES_DB": database.database,
            "POSTGRES_USER": database.user, "POSTGRES_PASSWORD": database.password.revealed,
            "PG_BIN_DIR": server.binDirectory.string, "MLFLOW_URL": "http://127.0.0.1:9", "BACKUP_SCHEDULE": "off",
            "DOCKER_HOST": "unix:///nowhere", "LOG_SYSLOG": "false", "BACKUP_LANG": "en",
        ]
        environment.merge(settings) { $1 }
        self.environment = environment
        let folder = BackupFolder(root.path.appending("backups"))
        try folder.prepare()
        try before(folder, database.database)
        service = try StackService(Settings.read(environment: environment), log: log)
        api = StackAPI(service)
    }

    deinit {
        service.stop(graceSeconds: 0)
        // What commands wrote down while the folder was away.
        for file in ToldFailures(in: nil, of: service.operations.stack, log: .silent).files { unlink(file.string) }
    }

    private static let schema: [SQL] = [
        "create table alembic_version (version_num varchar(32) primary key)",
        "insert into alembic_version values ('dc11669786a5')",
        "create table experiments (experiment_id integer primary key, name text unique, creation_time bigint)",
        "insert into experiments values (0, 'Default', 1790000000000)",
        "create table runs (run_uuid varchar(32) primary key, start_time bigint, experiment_id integer references experiments)",
        "insert into runs values ('run1', 1790000000001, 0)",
    ]

    /// As a client's request, with English asked for.
    func send(_ method: String, _ path: String, _ json: String = "") throws -> APIAnswer {
        try send(method, path, bytes: Array(json.utf8))
    }

    func send(_ method: String, _ path: String, bytes: [UInt8] = [], headers more: [String: String] = [:]) throws
        -> APIAnswer
    {
        // A test looks at what it has just changed.
        if path == "/health" { service.status.lookAtHealth() }
        let target = try #require(RequestTarget(path))
        var headers: HTTPHeaders = ["Content-Type": "application/json", "Accept-Language": "en", "Host": "localhost"]
        for (name, value) in more { headers.set(name, value) }
        let response = api.answer(
            HTTPRequest(method: method, target: target, headers: headers, body: bytes))
        let answer: [UInt8]? =
            switch response.body {
            // Its body is that of the answer it stands for, and is not sent.
            case _ where response.status == 304: []
            case .bytes(let bytes): bytes
            case .shared(let shared): shared.bytes
            case .none: []
            case .file, .stream: nil
            }
        // Every answer of every test is held against the description.
        if let answer {
            let faults = try OpenAPIDescription().faults(
                of: method, path, status: response.status, body: answer, contentType: response.headers["Content-Type"])
            #expect(faults?.isEmpty != false, "\(faults ?? []): \(String(decoding: answer, as: UTF8.self))")
        }
        return APIAnswer(status: response.status, body: answer ?? [])
    }

    /// After a change by hand, which the service would see a second later.
    func lookAgain() { service.status.folderChanged() }

    /// Puts records into the store as another process does, which the service sees a second later.
    func recording(_ body: (TaskStore) throws -> Void) throws {
        try body(TaskStore(in: service.operations.folder.state, log: .silent))
        usleep(1_100_000)
    }

    /// Polls a task until it has one of these states.
    func task(_ id: String, reaches states: Set<String> = ["completed", "failed"]) throws -> [String: Any] {
        for _ in 0..<600 {
            let record = try send("GET", "/tasks/\(id)").object()
            if let status = record["status"] as? String, states.contains(status) { return record }
            usleep(50_000)
        }
        throw TaskStuck(id: id)
    }

    /// Makes a backup through the API. - Returns: its name.
    func backup() throws -> String {
        let record = try task(send("POST", "/backups").string("task_id"))
        try #require(record["status"] as? String == "completed", "\(record)")
        return try #require(record["backup_name"] as? String)
    }

    /// Every operation waits for as long as this is held.
    func holdingTheFolder<Result>(_ body: () throws -> Result) throws -> Result {
        let lock = try OperationLock.take(in: service.operations.folder, for: "a test", atMost: 30)
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }

    /// The program itself.
    var program: FilePath { FilePath(String(#filePath)).parent.parent.parent.appending(".build/debug/mlflow-backup") }

    /// What the program needs to work on this stack.
    var settingsEnvironment: [String: String] { environment.merging(["PATH": "/usr/bin:/bin"]) { $1 } }

    /// Runs the program to its end.
    func command(_ arguments: [String]) throws -> ChildProcess.Outcome {
        try ChildProcess(program, arguments, environment: settingsEnvironment).run()
    }

    /// The program itself, started and not waited for.
    func start(_ arguments: [String], output: Any = FileHandle.nullDevice) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program.string)
        process.arguments = arguments
        process.environment = settingsEnvironment
        process.standardOutput = output
        process.standardError = Pipe()
        try process.run()
        return process
    }
}

extension Process {
    /// - Returns: the exit status, or `nil` after a kill: it did not end within 30 seconds.
    func exitStatus() -> Int32? {
        for _ in 0..<600 where isRunning { usleep(50_000) }
        guard !isRunning else {
            kill(processIdentifier, SIGKILL)
            return nil
        }
        return terminationReason == .exit ? terminationStatus : -terminationStatus
    }
}

struct TaskStuck: Error { let id: String }

/// What the API answered.
struct APIAnswer {
    let status: Int
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func object() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any], "not an object: \(text)")
    }

    func string(_ key: String) throws -> String { try #require(try object()[key] as? String, "no \(key) in \(text)") }
}
