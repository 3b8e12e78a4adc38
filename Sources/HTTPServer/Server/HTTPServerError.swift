// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Why a server did not start.
package enum HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The address is not one, or its name is not known here.
    case badAddress(address: String, reason: String)
    /// Another program listens there.
    case portInUse(address: String, port: UInt16)
    /// The kernel refused; `code` is errno.
    case cannotListen(address: String, port: UInt16, code: Int32)
    /// libmicrohttpd refused to start; what it said went to the event closure.
    case cannotStart(address: String, port: UInt16)

    package var description: String {
        switch self {
        case .badAddress(let address, let reason): "cannot listen on \(address): \(reason)"
        case .portInUse(let address, let port): "cannot listen on \(address) port \(port): the port is in use"
        case .cannotListen(let address, let port, let code):
            "cannot listen on \(address) port \(port): \(String(cString: strerror(code)))"
        case .cannotStart(let address, let port): "cannot start the HTTP server on \(address) port \(port)"
        }
    }
}
