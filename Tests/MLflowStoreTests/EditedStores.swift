// SPDX-License-Identifier: Apache-2.0

import Foundation
import MLflowStore
import Postgres
import SystemIO
import TestSupport

/// A store that real MLflow filled, what `pg_dump` and `pg_restore` made of it, and a copy of it for each edit that
/// real MLflow then did (`edits.py`). Made once for all tests: MLflow needs four seconds to start.
struct EditedStores: Sendable {
    struct EditFailed: Error, CustomStringConvertible {
        let description: String
    }

    let restored: ConnectionSettings
    /// What became of each edit: `nil` where it was done.
    let errors: [String: String]
    private let base: ConnectionSettings

    static let names: [String] = {
        guard let text = try? String(contentsOfFile: script.string, encoding: .utf8) else { return [] }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return zip(lines, lines.dropFirst()).compactMap { line, next in
            guard line == "@edit", next.hasPrefix("def ") else { return nil }
            return String(next.dropFirst(4).prefix { $0 != "(" })
        }
    }()

    /// On the installed PostgreSQL, whoever asks first.
    static let shared = Result { try PostgresRelease.$current.withValue(.installed) { try EditedStores() } }

    static let script = FilePath("\(#filePath)").parent.appending("edits.py")

    private init() throws {
        let server = try TemporaryPostgres.shared
        base = try server.freshDatabase("base")
        let python = try Self.python()
        try Shell.run(python.parent.appending("mlflow"), ["db", "upgrade", Self.uri(base)])
        // Experiment 0 comes with a server's first start; a store does the same.
        try Shell.run(python, [Self.script.string, "base", Self.uri(base)])
        restored = try server.freshDatabase("restored")
        try Self.copy(base, to: restored, server)
        let session = try Connection(server.settings.naming(database: "postgres"))
        for name in Self.names {
            try session.execute("create database \(identifier: "live_\(name)") template \(identifier: base.database)")
        }
        let output = try Shell.run(
            python, [Self.script.string, "edits", Self.uri(base.naming(database: "live_"))] + Self.names)
        errors = try Self.outcomes(of: output)
    }

    /// What `edits.py` says of each edit: nothing where it was done.
    static func outcomes(of output: String) throws -> [String: String] {
        struct Outcome: Decodable {
            let name: String
            let error: String?
        }
        var errors: [String: String] = [:]
        for line in output.split(separator: "\n") where line.hasPrefix("{") {
            let outcome = try JSONDecoder().decode(Outcome.self, from: Data(line.utf8))
            errors[outcome.name] = outcome.error ?? ""
        }
        return errors
    }

    /// The copy in which an edit was done.
    func live(_ name: String) throws -> ConnectionSettings {
        guard let error = errors[name] else { throw EditFailed(description: "\(name) was not tried") }
        guard error.isEmpty else { throw EditFailed(description: error) }
        return base.naming(database: "live_\(name)")
    }

    func findings(_ name: String) throws -> StoreFindings {
        let comparison = try StoreComparison(live: try live(name), restored: restored)
        defer { comparison.close() }
        return try comparison.first()
    }

    /// As a backup and a restore do it.
    static func copy(_ from: ConnectionSettings, to target: ConnectionSettings, _ server: TemporaryPostgres) throws {
        let folder = try TemporaryFolder("store-copy")
        let tools = PostgresTools(binDirectory: server.binDirectory)
        let snapshot = try ExportedSnapshot(of: from)
        defer { snapshot.release() }
        let dump = folder.path.appending("dump")
        try tools.dump(from, snapshot: snapshot.identifier, into: dump, jobs: 1)
        try tools.restore(from: dump, into: target, jobs: 2)
    }

    /// A database that `mlflow db upgrade` made and nobody used, or with one start of a server (experiment 0).
    /// - Parameter schema: to which a `search_path` in MLflow's URI leads.
    static func fresh(started: Bool, schema: String? = nil) throws -> ConnectionSettings {
        let database = try TemporaryPostgres.shared.freshDatabase("fresh")
        let python = try python()
        if let schema { try Connection(database).execute("create schema \(identifier: schema)") }
        let uri = uri(database) + (schema.map { "?options=-csearch_path%3D\($0)" } ?? "")
        try Shell.run(python.parent.appending("mlflow"), ["db", "upgrade", uri])
        if started {
            try Shell.run(
                python,
                [
                    "-c",
                    "import sys; from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as S; "
                        + "S(sys.argv[1], '/tmp')", uri,
                ])
        }
        return database
    }

    static func python() throws -> FilePath {
        let root = FilePath(
            ProcessInfo.processInfo.environment["MLFLOW_ENV_DIR"]
                ?? FilePath("\(#filePath)").parent.parent.parent.appending(".mlflow-env").string)
        for name in try Directory.names(in: root) {
            let python = root.appending(name).appending("bin/python")
            if try FileStatus.ifPresent(python) != nil { return python }
        }
        throw SystemError("find Python with MLflow in", path: root.string, code: ENOENT)
    }

    private static func uri(_ settings: ConnectionSettings) -> String {
        func quoted(_ text: String) -> String {
            text.utf8.map { byte in "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        }
        return "postgresql+psycopg://\(settings.user):\(quoted(settings.password.revealed))"
            + "@\(settings.host):\(settings.port)/\(settings.database)"
    }
}
