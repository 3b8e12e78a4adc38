// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemIO

/// A program that is not PostgreSQL's, run on a database that libpq's variables name, as the role that the tables are of.
///
/// Nothing of what it is told is in its arguments, and the password is in a file that only we can read, which goes when it ends.
package struct DatabaseProgram: Sendable {
    package let path: FilePath
    /// Of this process's variables, those that it is given beside libpq's.
    package let passedOn: [String]

    package init(_ path: FilePath, passedOn: [String] = []) {
        self.path = path
        self.passedOn = passedOn
    }

    /// Where the program looks for tables, and as whom, where the server leads it elsewhere by itself.
    package struct Way: Sendable, Equatable {
        package var schema: String?
        package var role: String?

        package init(schema: String? = nil, role: String? = nil) {
            self.schema = schema
            self.role = role
        }
    }

    /// - Returns: how it ended; the last lines of its output with neither the password nor control characters.
    /// - Throws: `PostgresError`; `SystemError` if it cannot be started; `CancelledError`.
    package func run(
        on settings: ConnectionSettings, by way: Way = Way(), cancellation: Cancellation
    ) throws -> (exit: ChildProcess.Exit, lastLines: [String]) {
        try cancellation.check()
        let probe = try Connection(settings)
        let surroundings = probe.surroundings
        let takesOptions = probe.takesOptions
        probe.close()
        let password = surroundings?.password ?? settings.password
        let folder = try PrivateFolder()
        let passwordFile = try PasswordFile.write(password, in: folder)
        let own = ProcessInfo.processInfo.environment
        var environment = [
            "PATH": own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGHOST": settings.host,
            "PGPORT": "\(settings.port)", "PGUSER": settings.user, "PGDATABASE": settings.database,
            "PGPASSFILE": passwordFile.string, "PGCONNECT_TIMEOUT": "10",
            "PGAPPNAME": "mlflow-backup \(path.lastComponent)",
        ]
        if takesOptions { environment["PGOPTIONS"] = Self.options(way) }
        for name in passedOn { environment[name] = own[name] }
        environment.merge(ToolEnvironment.passedOn(likeSession: surroundings?.variables ?? [:])) { ours, _ in ours }
        let outcome = Result { try ChildProcess(path, [], environment: environment).run(cancellation: cancellation) }
        try folder.remove()
        let ended = try outcome.get()
        return (ended.exit, Self.lines(ended.output.suffix(4096) + "\n" + ended.errors, hiding: password))
    }

    /// What it is at may take hours, and no limit of the role's or of the database's is meant for that.
    static func options(_ way: Way) -> String {
        var parameters = [
            ("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0"),
            ("default_transaction_read_only", "off"),
        ]
        if let schema = way.schema { parameters.append(("search_path", schema.asQuotedIdentifier)) }
        if let role = way.role { parameters.append(("role", role)) }
        return parameters.map { name, value in
            // A backslash keeps what follows it (libpq manual, 34.1.2, `options`).
            "-c \(name)=\(value.replacing("\\", with: "\\\\").replacing(" ", with: "\\ "))"
        }.joined(separator: " ")
    }

    private static func lines(_ text: some StringProtocol, hiding password: Secret) -> [String] {
        var text = String(text)
        if !password.revealed.isEmpty {
            let encoded = PercentText.encoded(Array(password.revealed.utf8))
            for secret in [password.revealed, encoded] { text = text.replacing(secret, with: "***") }
        }
        return OutputLines.last(of: text)
    }
}
