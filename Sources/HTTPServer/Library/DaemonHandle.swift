// SPDX-License-Identifier: Apache-2.0

import CMicroHTTPD

/// libmicrohttpd's daemon. `stop` is called once, after which the handle is dead.
///
/// Unchecked because the pointer is only handed to calls that MHD documents as safe from any thread, and the owner
/// (`HTTPServer`) takes the handle out of its lock before it stops it.
struct DaemonHandle: @unchecked Sendable {
    private let daemon: OpaquePointer

    init?(listener: ListeningSocket, configuration: ServerConfiguration, core: Unmanaged<ServerCore>) {
        var setup = mhd_setup()
        setup.listen_socket = listener.descriptor
        setup.connection_limit = UInt32(clamping: configuration.maximumConnections)
        // Idle connections are the watcher's; MHD's own timer, for stalled responses, must not come before it.
        setup.idle_timeout_seconds = UInt32(clamping: configuration.idleTimeoutSeconds + 1)
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

    /// Stops accepting. The listening socket belongs to our side again.
    func quiesce() {
        _ = MHD_quiesce_daemon(daemon)
    }

    /// Cuts the connections, joins every thread, frees the daemon.
    func stop() {
        // Without this MHD would close the listening socket, which is ours.
        quiesce()
        MHD_stop_daemon(daemon)
    }
}
