// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import Service

/// `/docs` and `/openapi.json`, served from the program itself: no outside host is needed.
struct DocumentationRoutes: Sendable {
    var routes: [Route] {
        [
            Route("GET", "/") { _ in
                HTTPResponse(status: 302, headers: ["Location": "/docs"])
            },
            Route("GET", "/openapi.json") { _ in
                HTTPResponse(
                    status: 200, contentType: "application/json",
                    bytes: Documents.description(of: ServiceVersion.current))
            },
            Route("GET", "/docs") { _ in
                var response = HTTPResponse(
                    status: 200, contentType: "text/html; charset=utf-8", bytes: Documents.named("docs.html") ?? [])
                response.headers.set("Content-Security-Policy", Self.policy)
                return response
            },
            // Before the assets, whose pattern takes it, too.
            Route("GET", Self.errors) { _ in
                HTTPResponse(
                    status: 200, contentType: "text/markdown; charset=utf-8", bytes: Documents.named("errors.md") ?? [])
            },
            Route("GET", "/docs/{asset}") { request in
                let name = request.parameter("asset")
                guard let type = Self.types[name], let bytes = Documents.named(name) else {
                    throw RequestError.noSuchPath(request.http.rawPath)
                }
                return HTTPResponse(status: 200, contentType: type, bytes: bytes)
            },
        ]
    }

    /// The list of codes, `docs/errors.md`, to which the `type` of each problem leads.
    static let errors = "/docs/errors"
    private static let types = ["docs.css": "text/css; charset=utf-8", "docs.js": "text/javascript; charset=utf-8"]
    private static let policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
}
