// SPDX-License-Identifier: Apache-2.0

import Glibc
import HTTPServer
import SystemIO

/// Who may ask: the token where one is set, and never a web page of somebody else's.
struct RequestGate: Sendable {
    private let token: Secret?
    private let trustedNames: Set<String>

    /// Calls that tell nothing of the data to who has no token: a load balancer asks for health (and hears one word), a browser loads the page before a person
    /// can type the token into it.
    private static let openPatterns: Set<String> = [
        "/health", "/docs", "/docs/{asset}", DocumentationRoutes.errors, "/openapi.json", "/",
    ]

    /// - Parameter ownName: this machine's, or its container's. Of another name, also one without a dot, a resolver of somebody else's (a
    ///   guest's wireless network) may say that it is this machine.
    init(token: Secret?, allowedHosts: [String], ownName: String? = nil) {
        self.token = token
        trustedNames = Set((allowedHosts + ["localhost"] + [ownName].compactMap(\.self)).map { $0.lowercased() })
    }

    /// A page on another origin can make a browser send simple requests here, and a name that an attacker points at
    /// 127.0.0.1 (DNS rebinding) can even read the answers. Both show in headers that a page cannot forge.
    func admit(_ request: HTTPRequest) throws {
        // No browser leaves it out, or empty.
        let host = request.headers["Host"] ?? ""
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

    /// A name or an address and perhaps a port (RFC 9110 section 7.2), and nothing else: `localhost:1@evil.example` is nobody's. By bytes: a dot
    /// with a combining mark is a `Character` that is no dot.
    private func isTrusted(_ header: String) -> Bool {
        guard header.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return false }
        let text = header.lowercased()
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            return Self.isPort(text[text.index(after: end)...]) && Self.isIPv6(text[..<end].dropFirst())
        }
        let colon = text.firstIndex(of: ":") ?? text.endIndex
        var name = text[..<colon]
        guard Self.isPort(text[colon...]) else { return false }
        // The root, which a browser sends along where a person wrote it.
        if name.hasSuffix(".") { name = name.dropLast() }
        // An address in any notation: no name ends in a number (WHATWG URL, "ends in a number").
        if !name.isEmpty, name.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || Self.isDigit($0) }) { return true }
        // Of `localhost` nobody can have a part (RFC 6761 section 6.3).
        return trustedNames.contains(String(name)) || name.hasSuffix(".localhost")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// None, or a colon and digits.
    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || text.utf8.first == UInt8(ascii: ":") && text.utf8.dropFirst().allSatisfy(isDigit)
    }

    private static func isIPv6(_ text: Substring) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, String(text), &address) == 1
    }
}
