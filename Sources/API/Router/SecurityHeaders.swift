// SPDX-License-Identifier: Apache-2.0

import HTTPServer

/// What each answer says to a browser: it is no page to be framed, run or read by another site's.
enum SecurityHeaders {
    /// Where a route has a policy of its own, as a page has, that one stays.
    static func set(on response: inout HTTPResponse) {
        response.headers.set("X-Content-Type-Options", "nosniff")
        response.headers.set("X-Frame-Options", "DENY")
        response.headers.set("Referrer-Policy", "no-referrer")
        response.headers.set("Cross-Origin-Resource-Policy", "same-origin")
        if response.headers["Content-Security-Policy"] == nil {
            response.headers.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        }
    }
}
