// SPDX-License-Identifier: Apache-2.0

import CPostgres
import Glibc

/// What libpq's service (`PGSERVICE`, and the file it stands in) says of a server; what it leaves open is `nil`. A password that it has is
/// libpq's alone.
package struct NamedService: Sendable, Equatable {
    package let host: String?
    package let port: String?
    package let user: String?
    package let database: String?

    /// Of the process's own environment, as libpq reads it.
    /// - Returns: `nil` for a service that no file has, or whose file has a fault.
    package init?() {
        guard !Self.isFaulty, let options = PQconndefaults() else { return nil }
        defer { PQconninfoFree(options) }
        var found: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val, value.pointee != 0 {
                found[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        (host, port, database) = (found["host"], found["port"], found["dbname"])
        // Where nobody is named libpq takes the name of whoever runs it, which no role of MLflow's has.
        let runner = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) }
        user = found["user"] == runner && getenv("PGUSER") == nil ? nil : found["user"]
    }

    /// `PQconndefaults` passes over what is wrong with a service. A session that begins does not, and says so before it looks for its server,
    /// which is nowhere.
    private static var isFaulty: Bool {
        let handle = "host".withCString { keyword in
            "/dev/null".withCString { value in
                PQconnectStartParams([keyword, nil], [value, nil], 0)
            }
        }
        defer { PQfinish(handle) }
        return PQerrorMessage(handle).map { String(cString: $0).contains("service") } ?? true
    }
}
