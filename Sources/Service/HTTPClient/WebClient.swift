// SPDX-License-Identifier: Apache-2.0

import Curl

/// What a server answered.
package struct WebResponse: Sendable, Equatable {
    /// An HTTP status code.
    package let status: Int
    package let body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Small requests to services next door, such as MLflow's `/version` and `/health`. Redirects are answers, not followed.
package struct WebClient: Sendable {
    /// Bytes of a body that are read at most.
    package let bodyLimit: Int

    /// Whether a proxy of the environment is used: for servers out on the internet.
    package let usesProxy: Bool

    package init(bodyLimit: Int = 1 << 20, usesProxy: Bool = false) {
        self.bodyLimit = bodyLimit
        self.usesProxy = usesProxy
    }

    /// - Parameter timeoutSeconds: for the whole request, connecting included.
    package func get(_ url: String, timeoutSeconds: Double = 10) throws(WebError) -> WebResponse {
        try send(url, timeoutSeconds) { _ in }
    }

    /// - Parameter json: the body, already encoded.
    package func post(_ url: String, json: [UInt8], timeoutSeconds: Double = 10) throws(WebError) -> WebResponse {
        try send(url, timeoutSeconds) { transfer throws(CurlError) in
            try transfer.post(json, as: "application/json")
        }
    }

    /// - Parameter text: UTF-8.
    package func post(_ url: String, text: [UInt8], timeoutSeconds: Double = 10) throws(WebError) -> WebResponse {
        try send(url, timeoutSeconds) { transfer throws(CurlError) in
            try transfer.post(text, as: "text/plain; charset=utf-8")
        }
    }

    private func send(
        _ url: String, _ seconds: Double, _ prepare: (CurlTransfer) throws(CurlError) -> Void
    ) throws(WebError) -> WebResponse {
        do throws(CurlError) {
            let transfer = try CurlTransfer(
                url, protocols: "http,https", connectSeconds: seconds, seconds: seconds, usesProxy: usesProxy)
            try transfer.collectBody(limit: bodyLimit)
            try prepare(transfer)
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
