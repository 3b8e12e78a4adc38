// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A password handed to a child process by a file: arguments and environments of a process are shown to others.
enum PasswordFile {
    /// - Throws: `passwordNotExpressible`, `SystemError`.
    static func write(_ password: Secret, in folder: PrivateFolder) throws -> FilePath {
        try folder.write(name, line(password))
    }

    static let name = "pgpass"

    /// `host:port:database:user:password` (libpq manual, 34.16) for any server: it serves one child alone.
    static func line(_ password: Secret) throws(PostgresError) -> [UInt8] {
        var line = Array("*:*:*:*:".utf8)
        for byte in password.revealed.utf8 {
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0: throw PostgresError.passwordNotExpressible
            case UInt8(ascii: ":"), UInt8(ascii: "\\"): line += [UInt8(ascii: "\\"), byte]
            default: line.append(byte)
            }
        }
        return line + [UInt8(ascii: "\n")]
    }
}
