// SPDX-License-Identifier: Apache-2.0

import HTTPServer
import Service
import Wording

struct TaskRoutes: Sendable {
    let service: StackService

    var routes: [Route] {
        [
            Route("GET", "/tasks", list),
            Route("GET", "/tasks/{id}", show),
            Route("POST", "/tasks/{id}/cancel", cancel),
            Route("POST", "/cleanup", cleanUp),
        ]
    }

    @Sendable private func list(_ request: RouteRequest) throws -> HTTPResponse {
        let status = try request.http.query["status"].map { text in
            guard let status = TaskRecord.Status(rawValue: text) else {
                let names = TaskRecord.Status.allCases.map(\.rawValue).joined(separator: ", ")
                throw RequestError.badValue(
                    field: "status", value: text, allowed: BilingualText(zh: " \(names) 之一", en: "one of \(names)"))
            }
            return status
        }
        return .json(try service.tasks.list(status).map { TaskRepresentation($0, request.language) })
    }

    @Sendable private func show(_ request: RouteRequest) throws -> HTTPResponse {
        .json(TaskRepresentation(try service.task(request.parameter("id")), request.language))
    }

    @Sendable private func cancel(_ request: RouteRequest) throws -> HTTPResponse {
        _ = try RequestBody(request.http, known: [])
        let record = try service.cancel(request.parameter("id"))
        return accepted(AcceptedRepresentation(cancelled: record, request.language))
    }

    @Sendable private func cleanUp(_ request: RouteRequest) throws -> HTTPResponse {
        let removed = try service.cleanUp()
        let text = BilingualText(zh: "已清理 \(removed) 条任务记录", en: "\(removed) task records were removed")
        return .json(CleanUp(message: text[request.language], removed: removed))
    }

    private struct CleanUp: Encodable {
        let message: String
        let removed: Int
    }
}
