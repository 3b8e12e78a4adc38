// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// PostgreSQL's own programs for moving a database out and in.
///
/// They are looked up at each use, so that an upgrade while the service runs is noticed.
package struct PostgresTools: Sendable {
    package enum Tool: String, Sendable {
        case dump = "pg_dump"
        case restore = "pg_restore"
    }

    /// The only folder to look in; `nil` for wherever they are installed.
    private let binDirectory: FilePath?
    /// What gets the programs of a major version where this runs, with MAJOR in its place; `nil` where nobody said.
    private let installCommand: String?
    /// Debian's folder of folders, one a major version.
    private let installed: FilePath
    /// Seconds in which a program says its version, or does not answer: it may lie on a disk that is gone.
    private let patience: Double
    /// Seconds that the caller waits for that.
    private var waitingTime: Double
    /// Seconds for all fillings of materialized views of a restore. Who needs longer is told of, and fills it himself.
    var fillingTime = 1800.0
    private static let versions = Questions<Result<Int, any Error>>()

    /// - Parameter binDirectory: the only folder to look in; nil looks in `/usr/lib/postgresql/*/bin`, then in PATH.
    /// - Parameter installCommand: what errors say that gets the programs of the version MAJOR here.
    package init(binDirectory: FilePath?, installCommand: String? = nil) {
        self.init(binDirectory: binDirectory, installed: "/usr/lib/postgresql", installCommand: installCommand)
    }

    init(binDirectory: FilePath?, installed: FilePath, patience: Double = 10, installCommand: String? = nil) {
        self.installCommand = installCommand
        self.binDirectory = binDirectory
        self.installed = installed
        self.patience = patience
        waitingTime = patience
    }

    /// The same for who is in a hurry: a program that does not answer so soon counts as one that does not, and is left to answer.
    package func waiting(atMost seconds: Double) -> PostgresTools {
        var tools = self
        tools.waitingTime = min(seconds, waitingTime)
        return tools
    }

    /// Where to look, best first: in the folder of the server's own major version, because a newer pg_restore sets
    /// parameters that an older server does not know; then in those of newer ones, the nearest first; an older pg_dump is of
    /// no use. Where the server is not known yet, the newest.
    private func folders(_ serverVersion: Int?) -> [FilePath] {
        if let binDirectory { return [binDirectory] }
        // Debian's folder may be absent: then PATH alone is searched.
        let names = (try? Directory.names(in: installed)) ?? []
        let majors = names.compactMap { Int(String(decoding: $0, as: UTF8.self)) }.sorted()
        let wanted = serverVersion.map { $0 / 10_000 } ?? majors.last ?? 0
        func folder(_ major: Int) -> FilePath { installed.appending(String(major)).appending("bin") }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return majors.filter { $0 >= wanted }.map(folder)
            + path.split(separator: ":").map { FilePath(String($0)) }.filter(\.isAbsolute)
            + majors.filter { $0 < wanted }.reversed().map(folder)
    }

    /// - Parameter serverVersion: as `Connection.serverVersion`, where it is known.
    /// - Throws: `toolMissing`.
    package func path(of tool: Tool, serverVersion: Int? = nil) throws(PostgresError) -> FilePath {
        for folder in folders(serverVersion) {
            let candidate = folder.appending(tool.rawValue)
            if candidate.withCString({ access($0, X_OK) }) == 0 { return candidate }
        }
        throw .toolMissing(path: binDirectory?.appending(tool.rawValue).string ?? tool.rawValue)
    }

    /// The major version the program says it has: 15 for `pg_dump (PostgreSQL) 15.18 (Debian …)`.
    /// - Parameter serverVersion: as `Connection.serverVersion`, where it is known: which program is used depends on it.
    /// - Throws: `toolMissing`, `toolFailed`, also for one that does not answer; `SystemError` if it cannot be started.
    package func version(of tool: Tool, serverVersion: Int? = nil) throws -> Int {
        let key = (binDirectory ?? installed).appending("\(tool.rawValue) for \(serverVersion ?? 0)")
        let reply = Self.versions.of(key).ask(atMost: waitingTime) { () throws(SystemError) in
            Result { try look(for: tool, serverVersion) }
        }
        guard case .answered(let version) = reply else { throw doesNotEnd(tool, waitingTime) }
        return try version.get()
    }

    private func doesNotEnd(_ tool: Tool, _ seconds: Double) -> PostgresError {
        .toolFailed(
            tool: tool.rawValue, exit: "no answer within \(Int(seconds)) s",
            lastErrorLines: ["\(tool.rawValue) --version does not end; is the disk that it lies on there?"])
    }

    private func look(for tool: Tool, _ serverVersion: Int?) throws -> Int {
        let program = try path(of: tool, serverVersion: serverVersion)
        // One that can be ended is, so that none is left when nobody waits for it any more.
        let child = ChildProcess(program, ["--version"], environment: ["LC_ALL": "C"])
        let outcome: ChildProcess.Outcome
        do {
            outcome = try child.run(cancellation: Cancellation(within: Cancellation(), atMost: patience))
        } catch is CancelledError { throw doesNotEnd(tool, patience) }
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

    private func command(_ major: Int?) -> String? {
        major.flatMap { installCommand?.replacing("MAJOR", with: "\($0)") }
    }

    /// Whether both programs are there and can serve that server.
    /// - Parameter serverVersion: as `Connection.serverVersion`.
    /// - Throws: `toolMissing`, `toolTooOld`; `SystemError` if a program cannot be started.
    package func check(serverVersion: Int) throws {
        for tool in [Tool.dump, .restore] {
            let major = try version(of: tool, serverVersion: serverVersion)
            if major < serverVersion / 10_000 {
                throw PostgresError.toolTooOld(
                    tool: tool.rawValue, toolVersion: major, serverVersion: serverVersion / 10_000,
                    command: command(serverVersion / 10_000))
            }
        }
    }

    /// Whether the pg_restore that would be used can restore into that server. From 17 on it sets `transaction_timeout`, which
    /// no older server knows (pg_backup_archiver.c, `_doSetFixedOutputState`).
    /// - Throws: `toolTooNew`, and as `check`.
    package func checkRestore(serverVersion: Int) throws {
        let (major, server) = (try version(of: .restore, serverVersion: serverVersion), serverVersion / 10_000)
        if major >= 17, server < 17 {
            throw PostgresError.toolTooNew(
                tool: Tool.restore.rawValue, toolVersion: major, serverVersion: server, command: command(server))
        }
    }

    /// Whether the pg_restore that would be used reads what that pg_dump wrote. What is in a dump's head grew with 16 and with 17
    /// (pg_backup_archiver.h, `K_VERS_1_15`, `K_VERS_1_16`), and no program reads a later one.
    /// - Parameter dumpVersion: the major version of the pg_dump.
    /// - Throws: `dumpTooNew`, and as `checkRestore`.
    package func checkReading(dumpVersion: Int, serverVersion: Int) throws {
        let (major, server) = (try version(of: .restore, serverVersion: serverVersion), serverVersion / 10_000)
        guard Self.form(ofDumpBy: dumpVersion) > Self.form(ofDumpBy: major) else { return }
        // Who reads it may be one that can restore into newer servers alone.
        let needed = dumpVersion < 17 || server >= 17 ? dumpVersion : nil
        throw PostgresError.dumpTooNew(
            dumpVersion: dumpVersion, toolVersion: major, serverVersion: server, needed: needed,
            command: command(needed))
    }

    /// Forms are as old as the first version that wrote them. Of those that are not known each may have one of its own.
    private static func form(ofDumpBy major: Int) -> Int {
        switch major {
        case ..<16: 12
        case 17, 18: 17
        default: major
        }
    }

    /// Whether a password can be handed to a program, and a place be found for it.
    /// - Throws: `passwordNotExpressible`, `SystemError`.
    package func checkHandingOver(_ password: Secret) throws {
        let line = try PasswordFile.line(password)
        // As long, and nothing else of it: this is asked every few seconds, and may go to a disk.
        let folder = try PrivateFolder()
        _ = try folder.write("trial", [UInt8](repeating: UInt8(ascii: "x"), count: line.count))
        try folder.remove()
    }

    /// Runs one of the programs against a database. The password travels in a file that only we can read.
    func run(
        _ tool: Tool, _ arguments: [String], settings: ConnectionSettings, cancellation: Cancellation,
        onProgress: (ToolProgress) -> Void
    ) throws {
        try cancellation.check()
        _ = try PasswordFile.line(settings.password)
        // The server says which program fits, and whether what is between us and it takes options.
        let probe = try Connection(settings)
        let surroundings = probe.surroundings
        // Libpq may have had it from a file of its own.
        let folder = try PrivateFolder()
        let passwordFile = try PasswordFile.write(surroundings?.password ?? settings.password, in: folder)
        let executable = try path(of: tool, serverVersion: probe.serverVersion)
        // Bytes of a database without an encoding are no UTF-8, and would not be loaded again as that.
        let encoding = try probe.rows("select pg_catalog.current_setting('server_encoding') as name").first?.string(
            "name")
        let connection = [
            "--host=\(settings.host)", "--port=\(settings.port)", "--username=\(settings.user)", "--no-password",
            // As a connection string, because a bare name with `=` in it would be taken for one.
            "--dbname=dbname=\(Self.connectionStringValue(settings.database))",
        ]
        var environment = [
            "PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGPASSFILE": passwordFile.string, "PGCONNECT_TIMEOUT": "10",
            "PGAPPNAME": "mlflow-backup \(tool.rawValue)",
            "PGCLIENTENCODING": encoding == "SQL_ASCII" ? "SQL_ASCII" : "UTF8",
        ]
        if probe.takesOptions {
            environment["PGOPTIONS"] = SessionParameters.options(serverVersion: probe.serverVersion)
        }
        probe.close()
        environment.merge(ToolEnvironment.passedOn(likeSession: surroundings?.variables ?? [:])) { ours, _ in ours }
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
