// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// The one command that brings a restored database of an older schema to the running MLflow's.
@Suite(.serialized, .aheadBesideThePool) struct UpgradeCommandTests {
    @Test func oneCommandUpgradesTheDatabaseOfTheStackAndShowsNoPassword() throws {
        let stack = try TestStack("upgrade")
        let settings = try stack.settings()
        let command = try #require(settings["MLFLOW_UPGRADE_COMMAND"])
        #expect(command == stack.data.appending("mlflow-db-upgrade").string)
        let address = try #require(settings["MLFLOW_BACKEND_STORE_URI"])
        let head = try revision(stack)
        let older = try downgrade(address)
        #expect(older != head)
        #expect(try revision(stack) == older)
        let output = try Shell.sh("\(command) 2>&1", environment: TestStack.environment)
        #expect(try revision(stack) == head)
        let password = try String(
            decoding: OpenFile(stack.data.appending("secrets/postgres_password"), .read).readAll(), as: UTF8.self
        ).trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(!output.contains(password))
        // A second time changes nothing.
        try Shell.sh(command, environment: TestStack.environment)
        #expect(try revision(stack) == head)

        // What a restore runs finds the database by libpq's variables.
        #expect(try downgrade(address) == older)
        let program = FilePath(try #require(settings["DATABASE_UPGRADE_PROGRAM"]))
        var environment = TestStack.environment
        environment["PGHOST"] = settings["POSTGRES_HOST"]
        environment["PGPORT"] = settings["POSTGRES_PORT"]
        environment["PGUSER"] = settings["POSTGRES_USER"]
        environment["PGDATABASE"] = settings["POSTGRES_DB"]
        environment["PGPASSFILE"] = stack.data.appending("secrets/pgpass").string
        try Shell.run(program, environment: environment)
        #expect(try revision(stack) == head)
    }

    /// The container's own script, on a database that it finds by the container's variables.
    @Test func theCommandOfTheContainerFindsTheDatabaseAsTheServerDoes() throws {
        let stack = try TestStack("upgrade-container")
        let settings = try stack.settings()
        let head = try revision(stack)
        #expect(try downgrade(#require(settings["MLFLOW_BACKEND_STORE_URI"])) != head)
        var environment = TestStack.environment
        environment["PATH"] = "\(try TestStack.python().parent):/usr/bin:/bin"
        environment["MLFLOW_BACKEND_STORE_LIB"] =
            TestStack.repository.appending("docker/mlflow/backend-store-uri.sh").string
        for name in ["POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"] {
            environment[name] = settings[name]
        }
        let script = TestStack.repository.appending("docker/mlflow/mlflow-db-upgrade")
        try Shell.run(script, environment: environment)
        #expect(try revision(stack) == head)
        // Another database of that server, by its name.
        let older = try downgrade(#require(settings["MLFLOW_BACKEND_STORE_URI"]))
        #expect(older != head)
        let named = environment["POSTGRES_DB"] ?? ""
        environment["POSTGRES_DB"] = "no such database"
        environment["MLFLOW_UPGRADE_SCRIPT"] =
            TestStack.repository.appending("scripts/upgrade_database.py").string
        let output = try Shell.run(script, [named], environment: environment)
        #expect(output.contains("\(older) -> \(head)"), "\(output)")
        #expect(try revision(stack) == head)
        environment["POSTGRES_PASSWORD_FILE"] = "/nowhere"
        let refused = try ChildProcess(script, [], environment: environment).run()
        #expect(refused.exit == .code(1) && refused.errors.contains("/nowhere"), "\(refused.errors)")
    }

    private func downgrade(_ address: String) throws -> String {
        let script = FilePath(String(#filePath)).parent.appending("downgrade_database.py")
        return try Shell.run(
            try TestStack.python(), [script.string, address], environment: TestStack.environment
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func revision(_ stack: TestStack) throws -> String {
        let settings = try stack.settings()
        let bin = try #require(settings["PG_BIN_DIR"])
        let password = stack.data.appending("secrets/pgpass").string
        return try Shell.run(
            FilePath(bin).appending("psql"),
            [
                "-XAt", "-h", "127.0.0.1", "-p", "\(stack.postgresPort)", "-U", settings["POSTGRES_USER"] ?? "", "-d",
                settings["POSTGRES_DB"] ?? "", "-c", "select version_num from alembic_version",
            ], environment: ["PGPASSFILE": password]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension TestStack {
    /// What `scripts/up` wrote for the service.
    func settings() throws -> [String: String] {
        let text = String(decoding: try OpenFile(data.appending("stack.env"), .read).readAll(), as: UTF8.self)
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        return values
    }
}
