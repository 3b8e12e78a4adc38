// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// One request on its way in and its answer on its way out.
///
/// Not Sendable: MHD gives it to the connection's own thread only.
final class Exchange {
    let targetBytes: [UInt8]
    /// Where the target lay in the connection's buffer; see `HeadCheck`.
    let targetAddress: UInt
    /// Where the method ended there.
    var methodEnd: UInt = 0
    let client: ClientConnection
    let started = MonotonicTime.nanoseconds()

    var hasHead = false
    var method = ""
    var version = ""
    var headers = HTTPHeaders()
    /// See `ReceivedFields`.
    var hasPlainLines = true
    var target: RequestTarget?
    var body: [UInt8] = []
    /// The connection ends with this answer, and more may still be arriving: content that was not read, further requests.
    var endsConnection = false
    /// Bytes of `ServerCore.contents` that it has.
    var contentRoom = 0
    /// Whether it has one of the places for sending a file.
    var holdsFilePlace = false
    /// Answered past libmicrohttpd already: nothing more is to be done of it.
    var isRefused = false
    var status: Int?

    init(_ client: ClientConnection, target: [UInt8], targetAddress: UInt) {
        self.client = client
        targetBytes = target
        self.targetAddress = targetAddress
    }

    /// The request as far as it is known before its content.
    func headOnly() -> HTTPRequest? {
        target.map {
            HTTPRequest(
                method: method, target: $0, headers: headers, remoteAddress: client.address.text, version: version)
        }
    }

    /// The request, its content moved out.
    func takeRequest() -> HTTPRequest? {
        guard let target else { return nil }
        defer { body = [] }
        return HTTPRequest(
            method: method, target: target, headers: headers, body: body, remoteAddress: client.address.text,
            version: version, isAbandoned: { [client] in client.hasLeft })
    }
}
