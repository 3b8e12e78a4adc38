// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import SystemIO
import Wording

/// Finds the route of a request and turns whatever it throws into a problem answer.
struct Router: Sendable {
    private let routes: [Route]
    private let gate: RequestGate
    private let log: Log

    init(_ routes: [Route], gate: RequestGate, log: Log) {
        self.routes = routes
        self.gate = gate
        self.log = log
    }

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        let language = Language(acceptLanguage: request.headers["Accept-Language"])
        var response: HTTPResponse
        do {
            response = try dispatch(request, language)
        } catch {
            let problem = Problem(error)
            if problem.status >= 500 {
                log.error("request failed", ["path": request.rawPath, "reason": error.bilingual[.english]])
            }
            response = problem.response(language)
        }
        response.headers.set("X-Content-Type-Options", "nosniff")
        response.headers.set("Cache-Control", "no-store")
        response.headers.set("Vary", "Accept-Language")
        return response
    }

    private func dispatch(_ request: HTTPRequest, _ language: Language) throws -> HTTPResponse {
        try gate.admit(request)
        let matches = routes.compactMap { route in route.match(request.pathSegments).map { (route, $0) } }
        guard !matches.isEmpty else { throw RequestError.noSuchPath(request.rawPath) }
        // A HEAD is a GET whose body the server leaves out (RFC 9110 section 9.3.2).
        let method = request.method == "HEAD" ? "GET" : request.method
        guard let (route, parameters) = matches.first(where: { $0.0.method == method }) else {
            var allowed = Set(matches.map { $0.0.method })
            if allowed.contains("GET") { allowed.insert("HEAD") }
            throw RequestError.methodNotAllowed(request.method, allowed: allowed.sorted())
        }
        try gate.authorize(request, route)
        return try route.handler(RouteRequest(http: request, parameters: parameters, language: language))
    }
}
