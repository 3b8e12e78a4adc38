// SPDX-License-Identifier: Apache-2.0

import CMicroHTTPD
import Glibc

// The functions libmicrohttpd calls. They turn its pointers into Swift values and hold no lock while Swift code runs.
// `context` is the ServerCore, alive until the daemon has stopped.

private func core(_ context: UnsafeMutableRawPointer?) -> ServerCore? {
    context.map { Unmanaged<ServerCore>.fromOpaque($0).takeUnretainedValue() }
}

/// Ours of MHD's connection; it lives until `mhdConnection` hears that the socket is about to be closed.
private func client(_ connection: OpaquePointer) -> ClientConnection? {
    mhd_connection_state(connection).map { Unmanaged<ClientConnection>.fromOpaque($0).takeUnretainedValue() }
}

/// A request line has arrived. What is returned is the request's own state, owned by MHD until `mhdCompleted`.
func mhdRequestLine(
    context: UnsafeMutableRawPointer?, uri: UnsafePointer<CChar>?, connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let uri, let connection, let client = client(connection) else { return nil }
    let target = UnsafeRawBufferPointer(start: uri, count: strlen(uri))
    let exchange = Exchange(client, target: Array(target), targetAddress: UInt(bitPattern: uri))
    client.enter(.head)
    core(context)?.targetArrived(exchange, connection: connection)
    return Unmanaged.passRetained(exchange).toOpaque()
}

/// Called once with the head, then with each piece of the content, then once at the end.
func mhdAccess(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?, url: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?, data: UnsafePointer<CChar>?,
    size: UnsafeMutablePointer<Int>?, state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let core = core(context), let connection, let method, let version, let size, let pointer = state?.pointee
    else { return .NO }
    let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()

    let proceeds: Bool
    if !exchange.hasHead {
        exchange.method = String(cString: method)
        exchange.version = String(cString: version)
        (exchange.headers, exchange.hasPlainLines) = ReceivedFields.read(connection, method: method, version: version)
        exchange.methodEnd = UInt(bitPattern: method) + UInt(strlen(method))
        exchange.hasHead = true
        proceeds = core.headArrived(exchange, connection: connection, versionAddress: UInt(bitPattern: version))
    } else if size.pointee > 0, let data {
        proceeds = core.bodyArrived(exchange, UnsafeRawBufferPointer(start: data, count: size.pointee))
        size.pointee = 0
    } else {
        proceeds = core.requestComplete(exchange, connection: connection)
    }
    return proceeds ? .YES : .NO
}

/// The request is over, whichever way. The one place where its state is released.
func mhdCompleted(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, code: MHD_RequestTerminationCode
) {
    guard let core = core(context), let connection, let state, let pointer = state.pointee else { return }
    state.pointee = nil
    core.finished(Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue(), connection: connection, code: code)
}

/// A connection was accepted, or its socket is about to be closed.
func mhdConnection(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, code: MHD_ConnectionNotificationCode
) {
    guard let core = core(context), let connection, let socketContext else { return }
    if code == .CONNECTION_NOTIFY_STARTED {
        guard let client = core.connections.connection(mhd_socket(connection)) else { return }
        socketContext.pointee = Unmanaged.passRetained(client).toOpaque()
        client.start()
    } else if let pointer = socketContext.pointee {
        socketContext.pointee = nil
        core.connections.closed(Unmanaged<ClientConnection>.fromOpaque(pointer).takeRetainedValue().socket)
    }
}

func mhdLog(context: UnsafeMutableRawPointer?, format: UnsafePointer<CChar>?, arguments: CVaListPointer?) {
    guard let core = core(context), let format, let arguments else { return }
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
        guard let base = buffer.baseAddress, vsnprintf(base, buffer.count, format, arguments) > 0 else { return }
        let text = String(cString: base)
        core.onEvent(.note(text.last == "\n" ? String(text.dropLast()) : text))
    }
}
