// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO

/// For a server of a test's own.
extension TemporaryPostgres {
    /// From now on it takes encrypted sessions alone over TCP, by a certificate for 127.0.0.1.
    /// - Returns: the certificate of who vouches for it.
    package func demandEncryption() throws -> FilePath {
        let data = folder.appending("data")
        let authority = try Self.makeAuthority(in: folder, named: "authority")
        try Shell.sh(
            """
            cd '\(folder)'
            openssl req -newkey rsa:2048 -nodes -keyout data/server.key -out server.csr -subj /CN=server 2>/dev/null
            printf 'subjectAltName=IP:127.0.0.1\\n' >server.ext
            openssl x509 -req -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial -out data/server.crt \
                -days 2 -extfile server.ext 2>/dev/null
            printf 'local all all scram-sha-256\\nhostssl all all 127.0.0.1/32 scram-sha-256\\n' >data/pg_hba.conf
            chmod 600 data/server.key data/pg_hba.conf
            """)
        if getuid() == 0 { try Shell.run("/bin/chown", ["-R", "postgres:postgres", data.string]) }
        try asSuperuser(in: superuser, ["alter system set ssl to on"])
        try restart()
        return authority
    }

    /// Makes a certificate that may vouch for others, with its key beside it.
    package static func makeAuthority(in folder: FilePath, named name: String) throws -> FilePath {
        try Shell.sh(
            """
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=\(name)' -keyout '\(folder)/\(name).key' \
                -out '\(folder)/\(name).crt' 2>/dev/null
            """)
        return folder.appending("\(name).crt")
    }
}
