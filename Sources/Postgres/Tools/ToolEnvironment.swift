// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What a program of PostgreSQL is given of our own environment: our sessions take from it what libpq does (certificates, where they are
/// looked for, channel binding, Kerberos), and the children must not be less safe, nor fail where they do not.
enum ToolEnvironment {
    static var passedOn: [String: String] { passedOn(of: ProcessInfo.processInfo.environment) }

    /// - Parameter all: of this process.
    static func passedOn(of all: [String: String]) -> [String: String] {
        all.filter { name, _ in
            named.contains(name)
                || prefixes.contains(where: name.hasPrefix)
                    && !withheld.contains(where: name.hasPrefix)
        }
    }

    /// Where `.postgresql/root.crt` lies; where OpenSSL looks (`sslrootcert=system`).
    private static let named: Set<String> = ["HOME", "SSL_CERT_FILE", "SSL_CERT_DIR"]
    private static let prefixes = ["PG", "KRB5"]
    /// What we say ourselves, and `PG_COLOR`, `PG_BIN_DIR` and the like, which are not libpq's.
    private static let withheld = [
        "PG_", "PGPASSWORD", "PGPASSFILE", "PGOPTIONS", "PGAPPNAME", "PGCONNECT_TIMEOUT", "PGCLIENTENCODING",
        "PGDATABASE", "PGUSER", "PGDATESTYLE", "PGTZ",
    ]
}
