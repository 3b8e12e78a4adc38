// SPDX-License-Identifier: Apache-2.0

extension HTTPResponse {
    /// This answer, or 304 or 412 where the request's conditions on its entity tag say so (RFC 9110 §13.1).
    package func ifWanted(by request: HTTPRequest) -> HTTPResponse {
        let tag = headers["ETag"].flatMap { EntityTag(header: $0) }
        guard let status = Self.failedPrecondition(of: request, entityTag: tag) else { return self }
        return HTTPResponse(status: status, headers: headers, body: status == 304 ? body : .none)
    }

    static func failedPrecondition(of request: HTTPRequest, entityTag: EntityTag?) -> Int? {
        func matches(_ field: String, _ compare: (EntityTag, EntityTag) -> Bool) -> Bool? {
            let lines = request.headers.values(field)
            guard !lines.isEmpty else { return nil }
            if lines.contains(where: { ASCII.trimmed($0[...]) == "*" }) { return true }
            guard let entityTag else { return false }
            return EntityTag.list(lines).contains { compare($0, entityTag) }
        }
        if matches("If-Match", { $0.matchesStrongly($1) }) == false { return 412 }
        if matches("If-None-Match", { $0.matchesWeakly($1) }) == true {
            return request.method == "GET" || request.method == "HEAD" ? 304 : 412
        }
        return nil
    }
}
