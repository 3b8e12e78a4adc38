// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// PostgreSQL's own programs for moving a database out and in.
///
/// They are looked up at each use, so that an upgrade while the service runs is noticed.
public struct PostgresTools: Sendable {
    public enum Tool: String, Sendable {
        case dump = "pg_dump"
        case restore = "pg_restore"
    }

    /// Where to look, best first.
    private let folders: [FilePath]

    /// - Parameters:
    ///   - binDirectory: the only folder to look in; nil looks in `/usr/lib/postgresql/*/bin`, then in PATH.
    ///   - serverVersion: as `Connection.serverVersion`. Its own major version is preferred where several are
    ///     installed, because a newer pg_restore sets parameters that an older server does not know; without it,
    ///     the newest.
    public init(binDirectory: FilePath?, serverVersion: Int? = nil) {
        if let binDirectory {
            folders = [binDirectory]
            return
        }
        let root: FilePath = "/usr/lib/postgresql"
        // Debian's folder may be absent: then PATH alone is searched.
        let names = (try? Directory.names(in: root)) ?? []
        let wanted = serverVersion.map { $0 / 10_000 }
        let majors = names.compactMap { Int(String(decoding: $0, as: UTF8.self)) }
            .sorted { left, right in left == wanted || (right != wanted && left > right) }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        folders =
            majors.map { root.appending(String($0)).appending("bin") }
            + path.split(separator: ":").map { FilePath(String($0)) }.filter(\.isAbsolute)
    }

    /// - Throws: `toolMissing`.
    public func path(of tool: Tool) throws(PostgresError) -> FilePath {
        for folder in folders {
            let candidate = folder.appending(tool.rawValue)
            if candidate.withCString({ access($0, X_OK) }) == 0 { return candidate }
        }
        throw .toolMissing(path: folders.count == 1 ? folders[0].appending(tool.rawValue).string : tool.rawValue)
    }

    /// The major version the program says it has: 15 for `pg_dump (PostgreSQL) 15.18 (Debian …)`.
    public func version(of tool: Tool) throws -> Int {
        let outcome = try ChildProcess(path(of: tool), ["--version"], environment: ["LC_ALL": "C"]).run()
        let words = outcome.output.split(whereSeparator: \.isWhitespace)
        guard outcome.succeeded,
            let number = words.first(where: { $0.first?.isNumber == true }),
            let major = Int(number.prefix { $0.isNumber })
        else {
            throw PostgresError.toolFailed(
                tool: tool.rawValue, exit: "\(outcome.exit)", lastErrorLines: ToolMessages.reason(in: outcome.errors))
        }
        return major
    }

    /// Whether both programs are there and can serve that server.
    /// - Parameter serverVersion: as `Connection.serverVersion`.
    /// - Throws: `toolMissing`, `toolTooOld`; `SystemError` if a program cannot be started.
    public func check(serverVersion: Int) throws {
        for tool in [Tool.dump, .restore] {
            let major = try version(of: tool)
            if major < serverVersion / 10_000 {
                throw PostgresError.toolTooOld(
                    tool: tool.rawValue, toolVersion: major, serverVersion: serverVersion / 10_000)
            }
        }
    }

    /// Runs one of the programs against a database. The password travels in a file that only we can read.
    func run(
        _ tool: Tool, _ arguments: [String], settings: ConnectionSettings, cancellation: Cancellation,
        onProgress: (ToolProgress) -> Void
    ) throws {
        try cancellation.check()
        let executable = try path(of: tool)
        let folder = try PrivateFolder()
        let passwordFile = try PasswordFile.write(settings.password, in: folder)
        let connection = [
            "--host=\(settings.host)", "--port=\(settings.port)", "--username=\(settings.user)", "--no-password",
            // As a connection string, because a bare name with `=` in it would be taken for one.
            "--dbname=dbname=\(Self.connectionStringValue(settings.database))",
        ]
        var environment = [
            "PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGPASSFILE": passwordFile.string, "PGCONNECT_TIMEOUT": "10",
            "PGAPPNAME": "mlflow-backup \(tool.rawValue)", "PGCLIENTENCODING": "UTF8",
        ]
        // Our own sessions take these from the environment; the children must not be less safe.
        for name in ["PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"] {
            environment[name] = getenv(name).map { String(cString: $0) }
        }
        let outcome: Result<ChildProcess.Outcome, any Error> = withoutActuallyEscaping(onProgress) { report in
            Result {
                try ChildProcess(executable, connection + arguments, environment: environment).run(
                    cancellation: cancellation,
                    onErrorLine: { line in if let progress = ToolProgress(line) { report(progress) } })
            }
        }
        try folder.remove()
        let ended = try outcome.get()
        if !ended.succeeded { throw PostgresError(tool: tool.rawValue, outcome: ended, settings: settings) }
    }

    /// libpq manual, 34.1.1.1: quotes and backslashes of a value are escaped by a backslash.
    private static func connectionStringValue(_ value: String) -> String {
        var quoted = "'"
        for scalar in value.unicodeScalars {
            if scalar == "'" || scalar == "\\" { quoted.unicodeScalars.append("\\") }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "'"
    }
}
