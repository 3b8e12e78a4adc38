// SPDX-License-Identifier: Apache-2.0

import CMicroHTTPD
import Glibc
import Synchronization
import SystemIO

/// An HTTP/1.1 server. Each connection has a thread, and handlers run on it and may block.
///
/// The server does not rely on SIGPIPE being ignored: its threads block it. A child process started from a handler
/// inherits that mask unless its spawn attributes set another.
package final class HTTPServer: Sendable {
    /// Answers one request. Runs on many threads at once; must end by itself.
    package typealias Handler = @Sendable (HTTPRequest) -> HTTPResponse

    private struct Running {
        let daemon: DaemonHandle
        let listener: ListeningSocket
        let acceptor: Acceptor
        let watch: DeadlineWatch
        let core: Unmanaged<ServerCore>
    }

    /// The bound port.
    package let port: UInt16
    private let core: ServerCore
    private let running: Mutex<Running?>

    /// Binds, listens and serves from the moment it returns.
    ///
    /// - Parameters:
    ///   - onEvent: Called on the server's threads; must not block for long.
    ///   - onHead: Asked before the content of a request that has some: what it returns is the answer, and the content is not received.
    ///   - onRejected: Makes the answer to a request that never reaches the handler. Its status is the rejection's.
    /// - Throws: `HTTPServerError`.
    package init(
        configuration: ServerConfiguration = ServerConfiguration(),
        onEvent: @escaping @Sendable (HTTPServerEvent) -> Void = { _ in },
        onHead: @escaping @Sendable (HTTPRequest) -> HTTPResponse? = { _ in nil },
        onRejected: @escaping @Sendable (HTTPRejection, HTTPRequest) -> HTTPResponse = HTTPRejection.plainAnswer,
        handler: @escaping Handler
    ) throws {
        let wanted = configuration
        let descriptors = DescriptorLimit.current
        let configuration = wanted.fitting(descriptors: descriptors)
        if configuration.maximumConnections < wanted.maximumConnections {
            onEvent(.fewerPlaces(configuration.maximumConnections, descriptors: descriptors))
        }
        let listener = try ListeningSocket(address: configuration.address, port: configuration.port)
        port = listener.port
        core = ServerCore(
            configuration: configuration, onEvent: onEvent, onRejected: onRejected, onHead: onHead, handler: handler)

        // The daemon's threads reach the core through this reference; `stop` gives it back when they have ended.
        let reference = Unmanaged.passRetained(core)
        let failure = HTTPServerError.cannotStart(address: configuration.address, port: listener.port)
        guard let daemon = DaemonHandle(configuration: configuration, core: reference) else {
            reference.release()
            throw failure
        }
        do {
            let watch = try DeadlineWatch(core.connections, core.files, configuration.deadlines)
            do {
                let acceptor = try Acceptor(listener, core.connections, onEvent: onEvent) { daemon.serve($0, $1) }
                running = Mutex(
                    Running(daemon: daemon, listener: listener, acceptor: acceptor, watch: watch, core: reference))
            } catch {
                watch.stop()
                throw error
            }
        } catch {
            daemon.stop()
            reference.release()
            throw failure
        }
    }

    deinit {
        stop(graceSeconds: 0)
    }

    /// Stops: refuses new connections, closes idle ones, lets requests end for up to `graceSeconds`, then cuts the
    /// connections. A handler cannot be cut, so this returns when the last one has. Later calls do nothing.
    ///
    /// Never call it (or drop the last reference to the server) from a handler: it would wait for itself.
    ///
    /// - Returns: Whether every request ended within the grace.
    @discardableResult
    package func stop(graceSeconds: Double) -> Bool {
        guard let running = running.withLock({ state in state.take() }) else { return true }
        running.listener.refuse()
        let drained = core.connections.drain(seconds: graceSeconds)
        running.acceptor.join()
        running.daemon.stop()
        running.watch.stop()
        running.core.release()
        return drained
    }
}
