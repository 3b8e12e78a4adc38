// SPDX-License-Identifier: Apache-2.0

import Curl
import Wording

/// An answer of S3 that is no success (Amazon S3 API reference, "Error responses").
struct S3Refusal {
    private let status: Int
    private let code: String
    private let message: String
    /// Where the bucket is, if the store says so.
    let region: String?
    /// Seconds.
    let wantedPause: Double?

    init(_ answer: HTTPChannel.Answer) {
        status = answer.head.status
        // A HEAD has no body, and a proxy's body is no XML.
        let texts = (try? XMLScanner.texts(answer.body, of: ["Code", "Message", "Region"])) ?? [:]
        code = texts["Code"] ?? ""
        message = texts["Message"] ?? ""
        region = answer.head["x-amz-bucket-region"] ?? texts["Region"]
        wantedPause = answer.head["retry-after"].flatMap(Double.init)
    }

    /// - Returns: `nil` where an answer of 200 is what it says: a copy and the end of an upload may fail after their head was sent.
    init?(success answer: HTTPChannel.Answer) {
        guard let texts = try? XMLScanner.texts(answer.body, of: ["Code", "Message"]), let code = texts["Code"] else {
            return nil
        }
        (status, self.code, message, region, wantedPause) = (answer.head.status, code, texts["Message"] ?? "", nil, nil)
    }

    /// Whether the same request may be answered a little later.
    var passes: Bool {
        switch code {
        case "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted", "Throttling",
            "TooManyRequests", "ServerBusy":
            true
        case "NotImplemented": false
        default: [408, 429, 500, 502, 503, 504].contains(status)
        }
    }

    func error(key: ObjectKey?, place: String) -> ObjectStoreError {
        switch code {
        case "NoSuchBucket": return .noSuchBucket(place: place)
        case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "InvalidSecurity",
            "AuthorizationHeaderMalformed", "TokenRefreshRequired", "InvalidClientTokenId":
            return .wrongKeys(place: place, reason: words)
        case "RequestTimeTooSkewed": return .clockSkew(place: place)
        case "KeyTooLongError": if let key { return .keyNotExpressible(key: key) }
        default: break
        }
        if passes { return .throttled(place: place, seconds: 0, reason: words) }
        switch status {
        case 401, 403: return .accessDenied(place: place, reason: words)
        case 404: if let key { return .gone(key: key) } else { return .noSuchBucket(place: place) }
        // A condition that was set did not hold, or the part that was asked for is not there any more.
        case 412, 416: if let key { return .changed(key: key) }
        default: break
        }
        return .refused(place: place, status: status, reason: words)
    }

    private var words: String {
        let text = [code, message].filter { !$0.isEmpty }.joined(separator: ": ")
        return text.isEmpty ? "HTTP \(status)" : String(text.beginning(bytes: 300)).shown
    }
}
