// SPDX-License-Identifier: Apache-2.0

import Backup
import HTTPServer
import Service
import Wording

struct TaskRoutes: Sendable {
    let service: StackService
    private let answer = SeenAnswer()
    private let gate = Gate(.taskRecords)
    private let checkFolder: FolderCheck

    init(service: StackService) {
        self.service = service
        checkFolder = FolderCheck(service.operations.folder.path)
    }

    var routes: [Route] {
        [
            Route("GET", "/tasks", list),
            Route("GET", "/tasks/{id}", at: .taskRecords, show),
            Route("POST", "/tasks/{id}/cancel", at: .taskRecords, cancel),
            Route("POST", "/cleanup", at: .taskRecords, cleanUp),
        ]
    }

    /// The newest, or a page that a query asks for.
    @Sendable private func list(_ request: RouteRequest) throws -> HTTPResponse {
        guard request.http.query.items.isEmpty else {
            try checkFolder()
            return try gate.pass(request.http) { try page(request) }
        }
        let seen = try service.status.tasks()
        return answer.response(seen.number, request.language) {
            .json(seen.value.newest.map { TaskRepresentation($0, request.language) })
        }
    }

    private func page(_ request: RouteRequest) throws -> HTTPResponse {
        let query = request.http.query
        let status = try query["status"].map { text in
            guard let status = TaskRecord.Status(rawValue: text) else {
                let names = TaskRecord.Status.allCases.map(\.rawValue).joined(separator: ", ")
                throw RequestError.badValue(
                    field: "status", value: text, allowed: BilingualText(zh: " \(names) 之一", en: "one of \(names)"))
            }
            return status
        }
        let limit = try query["limit"].map { text in
            guard let limit = Int(text), (1...Self.longestPage).contains(limit) else {
                throw RequestError.badValue(
                    field: "limit", value: text,
                    allowed: BilingualText(
                        zh: " 1 至 \(Self.longestPage) 的整数", en: "a whole number from 1 to \(Self.longestPage)"))
            }
            return limit
        }
        do {
            let records = try service.tasks.list(
                status, before: query["before"], limit: limit ?? StackStatus.newestLimit)
            return .json(records.map { TaskRepresentation($0, request.language) })
        } catch TaskStoreError.noSuchTask(let id) {
            throw RequestError.badValue(
                field: "before", value: id,
                allowed: BilingualText(zh: "现有任务的 task_id", en: "the task_id of a task there is"))
        }
    }

    private static let longestPage = 1000

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
