// SPDX-License-Identifier: Apache-2.0

import CMicroHTTPD
import Glibc
import SystemIO

/// What the callbacks work with: the handler, the limits, the table of connections.
final class ServerCore: Sendable {
    let configuration: ServerConfiguration
    let connections: ConnectionTable
    let files: FilePlaces
    private let contents: ContentRoom
    let onEvent: @Sendable (HTTPServerEvent) -> Void
    private let onRejected: @Sendable (HTTPRejection, HTTPRequest) -> HTTPResponse
    private let onHead: @Sendable (HTTPRequest) -> HTTPResponse?
    private let handler: HTTPServer.Handler

    init(
        configuration: ServerConfiguration, onEvent: @escaping @Sendable (HTTPServerEvent) -> Void,
        onRejected: @escaping @Sendable (HTTPRejection, HTTPRequest) -> HTTPResponse,
        onHead: @escaping @Sendable (HTTPRequest) -> HTTPResponse?, handler: @escaping HTTPServer.Handler
    ) {
        self.configuration = configuration
        self.onEvent = onEvent
        self.onRejected = onRejected
        self.onHead = onHead
        self.handler = handler
        contents = ContentRoom(configuration.maximumContentBytes)
        files = FilePlaces(configuration.maximumFiles, patience: configuration.deadlines.filePlace)
        connections = ConnectionTable(
            limit: configuration.maximumConnections, limitOfClient: configuration.maximumConnectionsOfClient,
            leastRate: configuration.deadlines.leastRate)
    }

    /// The request line is there.
    func targetArrived(_ exchange: Exchange, connection: OpaquePointer) {
        if HeadRoom.hasTooManyArguments(exchange.targetBytes) { refuse(.headTooLarge, exchange, connection) }
    }

    /// The head is there and none of the content. A response queued now keeps the content from being asked for.
    func headArrived(_ exchange: Exchange, connection: OpaquePointer, versionAddress: UInt) -> Bool {
        guard !exchange.isRefused else { return false }
        exchange.client.enter(.content)
        exchange.target = RequestTarget(bytes: exchange.targetBytes)
        let size = mhd_head_size(connection)
        guard HeadRoom.suffices(exchange, size: size, memory: configuration.perConnectionMemory) else {
            refuse(.headTooLarge, exchange, connection)
            return false
        }
        let limit = configuration.maximumBodyBytes
        if let rejection = HeadCheck.rejection(exchange, versionAddress: versionAddress, limit: limit) {
            exchange.endsConnection = true
            return reject(rejection, exchange, connection)
        }
        guard let length = exchange.headers["Content-Length"].flatMap({ Int($0) }), length > 0 else { return true }
        // Who is not let in anyway sends nothing.
        if let refusal = exchange.headOnly().flatMap(onHead) {
            exchange.endsConnection = true
            exchange.client.enter(.answering)
            return queue(refusal, exchange, connection)
        }
        guard contents.take(length) else {
            exchange.endsConnection = true
            return reject(.tooMuchContent, exchange, connection)
        }
        exchange.contentRoom = length
        exchange.body.reserveCapacity(length)
        return true
    }

    /// A piece of the content. `false` cuts the connection: `HeadCheck` has seen that its length is said, and is within the limit.
    func bodyArrived(_ exchange: Exchange, _ piece: UnsafeRawBufferPointer) -> Bool {
        exchange.body.append(contentsOf: piece)
        return exchange.body.count <= configuration.maximumBodyBytes
    }

    /// The request is whole: run the handler and queue what it says.
    func requestComplete(_ exchange: Exchange, connection: OpaquePointer) -> Bool {
        // While it shuts down MHD drops a queued response and may ask again; the handler runs once.
        guard exchange.status == nil else { return true }
        guard let request = exchange.takeRequest() else { return false }
        exchange.client.enter(.answering)
        let response = handler(request)
        if case .stream(nil, _) = response.body, request.version == "HTTP/1.0" {
            // Only the end of the connection would end such a body, so a failure would look like success.
            return reject(.versionNotSupported, exchange, connection)
        }
        if case .file = response.body, response.status != 304, request.method != "HEAD" {
            // `response` closes its file where there is no place for it.
            guard files.take() else { return reject(.tooManyFiles, exchange, connection) }
            exchange.holdsFilePlace = true
            exchange.client.isSendingFile = true
        }
        return queue(response, exchange, connection)
    }

    /// The request ended. Runs on the connection's thread while its socket is still open.
    func finished(_ exchange: Exchange, connection: OpaquePointer, code: MHD_RequestTerminationCode) {
        if exchange.holdsFilePlace { files.giveBack() }
        contents.giveBack(exchange.contentRoom)
        exchange.client.isSendingFile = false
        if exchange.endsConnection, code == .REQUEST_TERMINATED_COMPLETED_OK {
            LingeringClose.drain(mhd_socket(connection), limit: configuration.maximumDiscardedBytes)
        }
        // A status needs 12 KiB, and a download four times as much, which the next one on the connection may never need again.
        ThreadStack.giveBack(keeping: 12 << 10, below: configuration.threadStackBytes / 4)
        connections.requestEnded(exchange.client)
        let outcome: HTTPExchangeRecord.Outcome =
            switch code {
            case .REQUEST_TERMINATED_COMPLETED_OK: .completed
            case .REQUEST_TERMINATED_TIMEOUT_REACHED: .timedOut
            case .REQUEST_TERMINATED_DAEMON_SHUTDOWN: .stopped
            default: exchange.client.isExpired ? .timedOut : .aborted
            }
        onEvent(
            .finished(
                HTTPExchangeRecord(
                    method: exchange.method, target: String(decoding: exchange.targetBytes, as: UTF8.self),
                    status: exchange.status, remoteAddress: exchange.client.address.text,
                    seconds: MonotonicTime.seconds(since: exchange.started), outcome: outcome)))
    }

    private func reject(_ rejection: HTTPRejection, _ exchange: Exchange, _ connection: OpaquePointer) -> Bool {
        exchange.client.enter(.answering)
        exchange.body = []
        guard let response = answer(rejection, exchange) else { return false }
        return queue(response, exchange, connection)
    }

    /// As `reject`, where libmicrohttpd has no room for an answer. The connection ends.
    private func refuse(_ rejection: HTTPRejection, _ exchange: Exchange, _ connection: OpaquePointer) {
        exchange.isRefused = true
        guard let response = answer(rejection, exchange) else { return }
        exchange.client.enter(.answering)
        exchange.status = response.status
        let socket = mhd_socket(connection)
        UnqueuedAnswer.send(response, toHead: exchange.method == "HEAD", to: socket)
        LingeringClose.drain(socket, limit: configuration.maximumDiscardedBytes)
    }

    private func answer(_ rejection: HTTPRejection, _ exchange: Exchange) -> HTTPResponse? {
        guard
            let request = exchange.headOnly()
                ?? RequestTarget("/").map({
                    HTTPRequest(method: exchange.method, target: $0, headers: exchange.headers)
                })
        else { return nil }
        var response = onRejected(rejection, request)
        response.status = rejection.status
        return response
    }

    private func queue(_ response: HTTPResponse, _ exchange: Exchange, _ connection: OpaquePointer) -> Bool {
        if exchange.client.countAnswer() >= configuration.answersOfConnection { exchange.endsConnection = true }
        let isLast = exchange.endsConnection || connections.isDraining
        guard let prepared = PreparedResponse(response, closing: isLast, onEvent: onEvent) else {
            onEvent(.note("a response could not be made for \(exchange.method)"))
            return false
        }
        defer { prepared.release() }
        exchange.status = response.status
        exchange.client.enter(.sending)
        return prepared.queue(on: connection)
    }
}
