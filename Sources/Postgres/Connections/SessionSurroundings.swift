// SPDX-License-Identifier: Apache-2.0

import CPostgres
import Glibc
import SystemIO

/// How a session was really made: what its settings left open libpq took from the environment, a service file, or its own ideas. A program
/// that is to have the same session is told all of it.
struct SessionSurroundings {
    /// Certificates, how they are looked at, channel binding, Kerberos and the like, by the variables that libpq reads.
    let variables: [String: String]
    /// The one that was used, wherever it stood; empty where none was asked for.
    let password: Secret

    init(of handle: OpaquePointer) {
        password = Secret(PQpass(handle).map { String(cString: $0) } ?? "")
        var found: [String: String] = [:]
        guard let options = PQconninfo(handle) else {
            variables = found
            return
        }
        defer { PQconninfoFree(options) }
        var option = options
        while option.pointee.keyword != nil {
            defer { option += 1 }
            // What is not to be shown (`*`) is not to be in an environment either.
            guard let variable = option.pointee.envvar, let value = option.pointee.val, value.pointee != 0,
                option.pointee.compiled.map({ strcmp($0, value) != 0 }) ?? true,
                option.pointee.dispchar.map({ $0.pointee != CChar(UInt8(ascii: "*")) }) ?? true
            else { continue }
            found[String(cString: variable)] = String(cString: value)
        }
        variables = found
    }
}
