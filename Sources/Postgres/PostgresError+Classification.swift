// SPDX-License-Identifier: Apache-2.0

import CPostgres

/// From what libpq and the server say to one of our cases. SQLSTATEs are PostgreSQL's appendix A.
extension PostgresError {
    /// The error a statement ended with.
    init(result: OpaquePointer, of connection: OpaquePointer, settings: ConnectionSettings) {
        func field(_ code: some BinaryInteger) -> String? {
            PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
        }
        guard let sqlstate = field(cpostgres_diag_sqlstate) else {
            // libpq's own errors have no SQLSTATE: the session broke.
            self = .connectionLost(reason: Self.firstLine(String(cString: PQresultErrorMessage(result))))
            return
        }
        var message = field(cpostgres_diag_primary) ?? ""
        if let detail = field(cpostgres_diag_detail) { message += " (\(detail))" }
        if let hint = field(cpostgres_diag_hint) { message += " [\(hint)]" }
        // Another server's session may be lost that this one asked (dblink, a foreign table). With ours the server would be FATAL.
        if sqlstate.hasPrefix("08"), field(cpostgres_diag_severity) == "ERROR", PQstatus(connection) == CONNECTION_OK {
            self = .query(sqlstate: sqlstate, message: message)
            return
        }
        self.init(sqlstate: sqlstate, message: message, settings: settings)
    }

    /// The text of a connection that could not be made, with the SQLSTATE in it (PQERRORS_VERBOSE).
    init(connectionFailure text: String, settings: ConnectionSettings) {
        let line = Self.firstLine(text)
        guard let sqlstate = Self.sqlstate(in: text) else {
            // Of a name with several addresses each has a line.
            let causes = text.split(whereSeparator: \.isNewline).map { Self.cause(in: String($0)) }
            if let reason = causes.first(where: Self.isOfSecurity) {
                self = .notSecured(host: settings.host, port: settings.port, reason: reason)
            } else {
                self = .unreachable(host: settings.host, port: settings.port, reason: Self.cause(in: line))
            }
            return
        }
        let cause = Self.cause(in: line).split(separator: ":", maxSplits: 1).last.map(String.init) ?? line
        let reason = String(cause.drop { $0 == " " })
        switch sqlstate {
        case "3D000": self = .databaseMissing(name: settings.database)
        case "57P03": self = .unreachable(host: settings.host, port: settings.port, reason: reason)
        default: self.init(sqlstate: sqlstate, message: reason, settings: settings)
        }
    }

    init(sqlstate: String, message: String, settings: ConnectionSettings) {
        switch sqlstate {
        case "28P01", "28000": self = .authenticationFailed(user: settings.user)
        case "53300": self = .tooManyConnections(reason: message)
        case "53100": self = .diskFull(reason: message)
        case "42501": self = .insufficientPrivilege(user: settings.user, reason: message)
        case "57P01", "57P02", "57P03": self = .connectionLost(reason: message)
        case _ where sqlstate.hasPrefix("08"): self = .connectionLost(reason: message)
        default: self = .query(sqlstate: sqlstate, message: message)
        }
    }

    static func firstLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).first.map(String.init) ?? text
    }

    /// What stands after `… failed: ` in libpq's line; the address before it is in our error already.
    private static func cause(in line: String) -> String {
        guard let range = line.firstRange(of: " failed: ") else { return line }
        let rest = line[range.upperBound...]
        // `FATAL:  28P01: …`: the word before the code depends on the server's language.
        guard let colon = rest.firstRange(of: ":  ") else { return String(rest) }
        return String(rest[colon.upperBound...])
    }

    /// Of libpq's own sentences (fe-secure-openssl.c, fe-connect.c), which have no code, those about encryption. (`SSL SYSCALL error` is
    /// a session that broke.)
    private static func isOfSecurity(_ cause: String) -> Bool {
        !cause.contains("SYSCALL")
            && ["SSL", "certificate", "private key file", "sslmode", "GSSAPI encryption"].contains(
                where: cause.contains)
    }

    /// The five characters of `:  28P01: `.
    private static func sqlstate(in text: String) -> String? {
        for candidate in text.split(separator: ":") {
            let word = candidate.drop { $0 == " " }
            if candidate.hasPrefix("  "), word.utf8.count == 5,
                word.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) })
            {
                return String(word)
            }
        }
        return nil
    }
}
