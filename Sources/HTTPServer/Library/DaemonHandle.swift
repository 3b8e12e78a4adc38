// SPDX-License-Identifier: Apache-2.0

import CMicroHTTPD
import Glibc

/// libmicrohttpd's daemon. `stop` is called once, after which the handle is dead.
///
/// Unchecked because the pointer is only handed to calls that MHD documents as safe from any thread, and the owner
/// (`HTTPServer`) takes the handle out of its lock before it stops it.
struct DaemonHandle: @unchecked Sendable {
    private let daemon: OpaquePointer

    init?(configuration: ServerConfiguration, core: Unmanaged<ServerCore>) {
        var setup = mhd_setup()
        // The places are counted before it is given a connection.
        setup.connection_limit = UInt32.max
        setup.connection_memory = configuration.perConnectionMemory
        setup.thread_stack = configuration.threadStackBytes
        setup.on_uri = mhdRequestLine
        setup.on_access = mhdAccess
        setup.on_completed = mhdCompleted
        setup.on_connection = mhdConnection
        setup.on_log = mhdLog
        setup.context = core.toOpaque()
        guard let daemon = mhd_start(&setup) else { return nil }
        self.daemon = daemon
    }

    /// Serves a connection, whose descriptor is the daemon's from now on.
    /// - Returns: `false` where it cannot, and has closed the descriptor.
    func serve(_ connection: ClientConnection, _ address: sockaddr_storage) -> Bool {
        var address = address
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                MHD_add_connection(
                    daemon, connection.socket, generic, socklen_t(MemoryLayout<sockaddr_storage>.size)) == .YES
            }
        }
    }

    /// Cuts the connections, joins every thread, frees the daemon.
    func stop() {
        MHD_stop_daemon(daemon)
    }
}
