// SPDX-License-Identifier: Apache-2.0

/// Why a request is answered without the handler.
package enum HTTPRejection: Sendable, Equatable {
    /// The content is, or turned out, larger than `limit` bytes: 413.
    case bodyTooLarge(limit: Int)
    /// Beside the head, its cookies and its fields there would be no room for the head of an answer: 431 (RFC 6585 §5).
    case headTooLarge
    /// The head breaks RFC 9112 in a way that two parsers could read differently: 400.
    case malformed(Fault)
    /// A method of no known length: 501 (RFC 9110 §9.1).
    case methodTooLong
    /// The target names somebody else than the Host header: 421.
    case misdirected(authority: String)
    /// Content in chunks, whose length no header says: 411 (RFC 9112 §6.1).
    case lengthRequired
    /// As many files are being sent as may be at once: 503.
    case tooManyFiles
    /// As much content is being received as may be at once: 503.
    case tooMuchContent
    /// A transfer coding other than `chunked`: 501 (RFC 9112 §6.1).
    case unsupportedTransferCoding
    /// The handler's body needs chunks, and the client speaks HTTP/1.0: 505.
    case versionNotSupported

    /// What is wrong with a head, in English.
    package enum Fault: String, Sendable, CaseIterable {
        case target = "the request target is malformed"
        case requestLine = "the request line holds a NUL or stray spaces"
        case method = "the method is malformed"
        case asterisk = "the target * goes with OPTIONS only"
        case lines = "a header line is folded, has a NUL in it, or does not end in CR and LF"
        case fieldName = "a header name is malformed"
        case fieldValue = "a header value holds a control character"
        case host = "a request has one Host header"
        case framing = "Transfer-Encoding excludes Content-Length and HTTP/1.0"
        case contentLength = "Content-Length is one number"
    }

    /// The status that goes with it.
    package var status: Int {
        switch self {
        case .bodyTooLarge: 413
        case .headTooLarge: 431
        case .lengthRequired: 411
        case .malformed: 400
        case .misdirected: 421
        case .unsupportedTransferCoding, .methodTooLong: 501
        case .tooManyFiles, .tooMuchContent: 503
        case .versionNotSupported: 505
        }
    }

    /// English, one line.
    package var reason: String {
        switch self {
        case .bodyTooLarge(let limit): "the request body is larger than \(limit) bytes"
        case .headTooLarge: "the head of the request is too large: the target, the header fields and the cookies"
        case .lengthRequired: "the request needs a Content-Length"
        case .malformed(let fault): fault.rawValue
        case .methodTooLong: "the method is none that is known"
        case .misdirected: "the target and the Host header name different servers"
        case .unsupportedTransferCoding: "no transfer coding is understood"
        case .tooManyFiles: "as many files are being sent as may be at once"
        case .tooMuchContent: "as much is being received as may be at once"
        case .versionNotSupported: "this answer needs HTTP/1.1"
        }
    }

    /// Plain text with the status and reason.
    package static func plainAnswer(_ rejection: HTTPRejection, _ request: HTTPRequest) -> HTTPResponse {
        .plain(rejection.status, rejection.reason)
    }
}
