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
                    bytes: OpenAPIDocument.json(version: ServiceVersion.current))
            },
            Route("GET", "/docs") { _ in
                var response = HTTPResponse(status: 200, contentType: "text/html; charset=utf-8", bytes: DocsPage.html)
                response.headers.set("Content-Security-Policy", Self.policy)
                return response
            },
            Route("GET", "/docs/{asset}") { request in
                guard let asset = DocsPage.assets[request.parameter("asset")] else {
                    throw RequestError.noSuchPath(request.http.rawPath)
                }
                return HTTPResponse(status: 200, contentType: asset.contentType, bytes: asset.bytes)
            },
        ]
    }

    private static let policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
}
