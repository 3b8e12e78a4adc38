// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import SystemIO

/// Who may ask: the token where one is set, and never a web page of somebody else's.
struct RequestGate: Sendable {
    private let token: Secret?
    private let allowedHosts: Set<String>

    /// Calls that tell nothing of the data to who has no token: a load balancer asks for health (and hears one word), a browser loads the page before a person
    /// can type the token into it.
    private static let openPatterns: Set<String> = [
        "/health", "/docs", "/docs/{asset}", DocumentationRoutes.errors, "/openapi.json", "/",
    ]

    init(token: Secret?, allowedHosts: [String]) {
        self.token = token
        self.allowedHosts = Set(allowedHosts.map { $0.lowercased() })
    }

    /// A page on another origin can make a browser send simple requests here, and a name that an attacker points at
    /// 127.0.0.1 (DNS rebinding) can even read the answers. Both show in headers that a page cannot forge.
    func admit(_ request: HTTPRequest) throws {
        let host = request.headers["Host"].map(Self.hostName) ?? ""
        guard host.isEmpty || isTrusted(host) else { throw RequestError.unknownHost(host) }
        guard request.method != "GET", request.method != "HEAD" else { return }
        if let origin = request.headers["Origin"] {
            let parts = origin.split(separator: "/", omittingEmptySubsequences: true)
            guard parts.count == 2, String(parts[1]).lowercased() == request.headers["Host"]?.lowercased() else {
                throw RequestError.foreignOrigin(origin)
            }
        } else if request.headers["Sec-Fetch-Site"].map({ $0 == "cross-site" || $0 == "same-site" }) == true {
            throw RequestError.foreignOrigin("Sec-Fetch-Site")
        }
    }

    /// - Throws: `RequestError.unauthorized` where the route is not open to everybody.
    /// - Returns: whether whoever asks may hear all.
    func authorize(_ request: HTTPRequest, _ route: Route) throws -> Bool {
        guard let token else { return true }
        let given = request.headers["Authorization"] ?? ""
        if given.prefix(7).lowercased() == "bearer ", token.matches(String(given.dropFirst(7))) { return true }
        if Self.openPatterns.contains(route.pattern) { return false }
        throw RequestError.unauthorized
    }

    /// Addresses and names without a dot (`localhost`, a container's name) cannot be an attacker's domain.
    private func isTrusted(_ host: String) -> Bool {
        if allowedHosts.contains(host) || host.hasPrefix("[") || !host.contains(".") { return true }
        let isAddress = host.allSatisfy { $0 == "." || ("0"..."9").contains($0) }
        return isAddress || host.hasSuffix(".localhost")
    }

    private static func hostName(_ header: String) -> String {
        let text = header.lowercased()
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") { return String(text[...end]) }
        return String(text.split(separator: ":", omittingEmptySubsequences: false).first ?? "")
    }
}
