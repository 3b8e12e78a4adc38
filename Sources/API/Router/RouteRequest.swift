// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import Wording

/// A request that fits a route, with what the route's handler needs of it.
struct RouteRequest: Sendable {
    let http: HTTPRequest
    let parameters: [String: String]
    let language: Language
    /// Whether it has the token, or none is set.
    var isAuthorized = true

    /// Present in every path that matched: a missing one is a mistake in the route table.
    func parameter(_ name: String) -> String {
        guard let value = parameters[name] else { preconditionFailure("the route has no {\(name)}") }
        return value
    }
}

extension Language {
    /// The first of zh and en by weight in `Accept-Language` (RFC 9110 section 12.5.4); Chinese where neither is named.
    init(acceptLanguage header: String?) {
        var best: (language: Language, weight: Double)?
        for range in (header ?? "").split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
            guard let tag = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            let primary = tag.split(separator: "-").first.map(String.init) ?? tag
            guard let language = Language(rawValue: primary), weight > best?.weight ?? 0 else { continue }
            best = (language, weight)
        }
        self = best?.language ?? .chinese
    }
}
