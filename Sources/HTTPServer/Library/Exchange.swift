// SPDX-License-Identifier: Apache-2.0

/// One request on its way in and its answer on its way out.
///
/// Not Sendable: MHD gives it to the connection's own thread only.
final class Exchange {
    let targetBytes: [UInt8]
    /// Where the target lay in the connection's buffer; see `HeadCheck`.
    let targetAddress: UInt
    let remoteAddress: String
    let started = Monotonic.now()

    var hasHead = false
    var method = ""
    var version = ""
    var headers = HTTPHeaders()
    var target: RequestTarget?
    var body: [UInt8] = []
    /// Bytes of content seen, kept or not.
    var received = 0
    var isOverLimit = false
    /// Answered before its content was read, so that content may still be arriving.
    var answeredEarly = false
    var status: Int?

    init(target: [UInt8], targetAddress: UInt, remoteAddress: String) {
        targetBytes = target
        self.targetAddress = targetAddress
        self.remoteAddress = remoteAddress
    }

    /// The request, its content moved out.
    func takeRequest() -> HTTPRequest? {
        guard let target else { return nil }
        defer { body = [] }
        return HTTPRequest(
            method: method, target: target, headers: headers, body: body, remoteAddress: remoteAddress, version: version
        )
    }
}
