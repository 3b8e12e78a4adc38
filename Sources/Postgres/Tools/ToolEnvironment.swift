// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What a program of PostgreSQL is given of our own environment, and of what libpq took for our own sessions from there or from a service
/// file (certificates, where they are looked for, channel binding, Kerberos): the children must not be less safe, nor fail where our
/// sessions do not.
enum ToolEnvironment {
    /// - Parameter session: `SessionSurroundings.variables` of a session of ours with the same server.
    static func passedOn(likeSession session: [String: String]) -> [String: String] {
        passedOn(of: ProcessInfo.processInfo.environment, likeSession: session)
    }

    /// - Parameter all: of this process.
    static func passedOn(of all: [String: String], likeSession session: [String: String] = [:]) -> [String: String] {
        all.merging(session) { _, taken in taken }.filter { name, _ in
            named.contains(name)
                || prefixes.contains(where: name.hasPrefix)
                    && !withheld.contains(name) && !name.hasPrefix("PG_")
        }
    }

    /// Where `.postgresql/root.crt` lies; where OpenSSL looks (`sslrootcert=system`).
    private static let named: Set<String> = ["HOME", "SSL_CERT_FILE", "SSL_CERT_DIR"]
    private static let prefixes = ["PG", "KRB5"]
    /// What we say ourselves, and the service: a password in its file would count more than the one that we hand over. (`PG_COLOR`,
    /// `PG_BIN_DIR` and the like are not libpq's.)
    private static let withheld: Set<String> = [
        "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGPASSFILE", "PGOPTIONS", "PGAPPNAME",
        "PGCONNECT_TIMEOUT", "PGCLIENTENCODING", "PGDATESTYLE", "PGTZ", "PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR",
    ]
}
