// SPDX-License-Identifier: Apache-2.0

/// What a server answered.
public struct WebResponse: Sendable, Equatable {
    /// An HTTP status code.
    public let status: Int
    public let body: [UInt8]

    public init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Small requests to services next door, such as MLflow's `/version` and `/health`. Redirects are answers, not followed.
public struct WebClient: Sendable {
    /// Bytes of a body that are read at most.
    public let bodyLimit: Int

    public init(bodyLimit: Int = 1 << 20) { self.bodyLimit = bodyLimit }

    /// - Parameter timeoutSeconds: for the whole request, connecting included.
    public func get(_ url: String, timeoutSeconds: Double = 10) throws(WebError) -> WebResponse {
        try send(url, json: nil, timeoutSeconds)
    }

    /// - Parameter json: the body, already encoded.
    public func post(_ url: String, json: [UInt8], timeoutSeconds: Double = 10) throws(WebError) -> WebResponse {
        try send(url, json: json, timeoutSeconds)
    }

    private func send(_ url: String, json: [UInt8]?, _ seconds: Double) throws(WebError) -> WebResponse {
        do throws(CurlError) {
            let transfer = try CurlTransfer(
                url, protocols: "http,https", connectSeconds: seconds, seconds: seconds)
            try transfer.collectBody(limit: bodyLimit)
            if let json { try transfer.postJSON(json) }
            try transfer.perform()
            return WebResponse(status: transfer.responseCode, body: transfer.body)
        } catch {
            switch error.kind {
            case .unsupportedURL: throw .badURL(url)
            case .timedOut: throw .timedOut(url: url, seconds: seconds)
            case .writeRefused: throw .tooLarge(url: url, limit: bodyLimit)
            default: throw .unreachable(url: url, reason: error.message)
            }
        }
    }
}
