// SPDX-License-Identifier: Apache-2.0

import HTTPServer

/// One call of the API: a method, a pattern such as `/backups/{name}/download`, and what answers it.
struct Route: Sendable {
    typealias Handler = @Sendable (RouteRequest) throws -> HTTPResponse

    let method: String
    let pattern: String
    let handler: Handler
    /// What it waits for; `nil` where the answer is in memory.
    let resource: Resource?
    private let parts: [Part]

    private enum Part: Sendable, Equatable {
        case literal(String)
        case parameter(String)
    }

    init(_ method: String, _ pattern: String, at resource: Resource? = nil, _ handler: @escaping Handler) {
        self.resource = resource
        self.method = method
        self.pattern = pattern
        self.handler = handler
        parts = pattern.split(separator: "/").map { part in
            part.hasPrefix("{") ? .parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    /// The parameters of a path that fits; `nil` where it does not. A segment that cannot be a name fits nothing.
    func match(_ segments: [PathSegment]) -> [String: String]? {
        guard segments.count == parts.count else { return nil }
        var parameters: [String: String] = [:]
        for (segment, part) in zip(segments, parts) {
            guard let name = segment.name else { return nil }
            switch part {
            case .literal(let text): if text != name { return nil }
            case .parameter(let key): parameters[key] = name
            }
        }
        return parameters
    }
}
