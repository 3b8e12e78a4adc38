// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import SystemIO
import Wording

/// Finds the route of a request and turns whatever it throws into a problem answer.
struct Router: Sendable {
    private let routes: [Route]
    private let gate: RequestGate
    private let log: Log
    /// When which code was last told of.
    private let told: Monitor<[String: UInt64]> = Monitor([:])
    private let gates = Dictionary(uniqueKeysWithValues: Resource.allCases.map { ($0, Gate($0)) })

    private let checkFolder: FolderCheck

    /// - Parameter checkFolder: called before a route that waits for something: what each of them needs is in the backup folder.
    init(_ routes: [Route], gate: RequestGate, log: Log, checkFolder: FolderCheck) {
        self.checkFolder = checkFolder
        self.routes = routes
        self.gate = gate
        self.log = log
    }

    func answer(_ request: HTTPRequest) -> HTTPResponse { answer(request, dispatch) }

    /// The answer to who is not let in, or asks for what there is not, by the head of his request alone.
    func refusal(_ request: HTTPRequest) -> HTTPResponse? {
        do {
            _ = try admitted(request)
            return nil
        } catch { return answer(request) { _, _ in throw error } }
    }

    private func answer(
        _ request: HTTPRequest, _ work: (HTTPRequest, Language) throws -> HTTPResponse
    ) -> HTTPResponse {
        let language = Language(acceptLanguage: request.headers["Accept-Language"])
        var response: HTTPResponse
        do {
            response = try work(request, language)
            // Of the conditions of a request (RFC 9110 section 13) this is the only failure that is an error.
            if response.status == 412 { throw RequestError.preconditionFailed }
        } catch {
            let problem = Problem(error)
            if problem.status >= 500, isNews(problem.code) {
                log.error(
                    "request failed",
                    ["path": request.rawPath.beginning(bytes: 200), "reason": error.bilingual[.english]])
            }
            response = problem.response(language)
        }
        SecurityHeaders.set(on: &response)
        // What has a tag may be kept by who asked for it, and is asked for again each time.
        let isTagged = response.headers["ETag"] != nil
        response.headers.set("Cache-Control", isTagged ? "private, no-cache" : "no-store")
        response.headers.set("Vary", "Accept-Language")
        return response
    }

    /// One line a minute for each kind: a client decides how often it asks.
    private func isNews(_ code: String) -> Bool {
        told.withLock { told in
            let now = MonotonicTime.nanoseconds()
            if let last = told[code], now - last < 60_000_000_000 { return false }
            told[code] = now
            return true
        }
    }

    private func dispatch(_ request: HTTPRequest, _ language: Language) throws -> HTTPResponse {
        let (route, parameters, isAuthorized) = try admitted(request)
        let routed = RouteRequest(
            http: request, parameters: parameters, language: language, isAuthorized: isAuthorized)
        guard let gate = route.resource.flatMap({ gates[$0] }) else { return try route.handler(routed) }
        try checkFolder()
        return try gate.pass(request) { try route.handler(routed) }
    }

    private func admitted(
        _ request: HTTPRequest
    ) throws -> (route: Route, parameters: [String: String], isAuthorized: Bool) {
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
        return (route, parameters, try gate.authorize(request, route))
    }
}
