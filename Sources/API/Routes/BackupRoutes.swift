// SPDX-License-Identifier: Apache-2.0

import Backup
import Glibc
import HTTPServer
import Service
import SystemIO
import Wording

/// Listing, making, fetching, checking and deleting backups.
struct BackupRoutes: Sendable {
    let service: StackService
    private let answer = SeenAnswer()

    init(service: StackService) { self.service = service }

    var routes: [Route] {
        [
            Route("GET", "/backups", list),
            Route("POST", "/backups", at: .database, create),
            Route("GET", "/backups/{name}/download", at: .backupFolder, download),
            Route("POST", "/backups/{name}/verify", at: .backupFolder, verify),
            Route("POST", "/backups/{name}/accept", at: .backupFolder, accept),
            Route("DELETE", "/backups/{name}", at: .backupFolder, delete),
        ]
    }

    @Sendable private func list(_ request: RouteRequest) throws -> HTTPResponse {
        let seen = try service.status.backups()
        return answer.response(seen.number) {
            .json(seen.value.items.map(BackupRepresentation.init)).tagged()
        }.ifWanted(by: request.http)
    }

    @Sendable private func create(_ request: RouteRequest) throws -> HTTPResponse {
        let body = try RequestBody(request.http, known: ["compress", "email"])
        let record = try service.submit(
            service.backupRequest(compress: body.bool("compress")), origin: .api, email: body.email("email"))
        return accepted(record, request)
    }

    @Sendable private func verify(_ request: RouteRequest) throws -> HTTPResponse {
        let item = try service.operations.catalogue.item(named: request.parameter("name"))
        return accepted(try service.submit(.verify(item.name.string), origin: .api, email: nil), request)
    }

    @Sendable private func delete(_ request: RouteRequest) throws -> HTTPResponse {
        let name = request.parameter("name")
        let told = try service.delete(name)
        let text = BilingualText(zh: "备份 \(name) 已删除", en: "The backup \(name) has been deleted")
        return .json(Deleted(message: text[request.language], warnings: told.map { $0[request.language] }))
    }

    private struct Deleted: Encodable {
        let message: String
        let warnings: [String]
    }

    @Sendable private func accept(_ request: RouteRequest) throws -> HTTPResponse {
        .json(["message": try service.accept(request.parameter("name"))[request.language]])
    }

    @Sendable private func download(_ request: RouteRequest) throws -> HTTPResponse {
        let item = try service.operations.catalogue.item(named: request.parameter("name"))
        guard item.kind == .compressed else {
            throw RequestError.notDownloadable(item.name.string, path: item.path.string)
        }
        if let fault = item.shapeFault {
            throw BackupError.markedCorrupt(name: item.name.string, reason: fault)
        }
        let file = try OpenFile(item.path, .readNoFollow)
        let size = try file.status().size
        // A file that is not the verified one must not carry its tag.
        let tag = item.isWhole && size == item.size ? item.sidecar.flatMap { EntityTag($0.sha256) } : nil
        let copy = file.withDescriptor { fcntl($0, F_DUPFD_CLOEXEC, 0) }
        guard copy >= 0 else { throw SystemError("open", path: item.path.string) }
        return .file(
            OwnedDescriptor(owning: copy), size: size, entityTag: tag, contentType: "application/gzip",
            filename: item.name.string, for: request.http)
    }
}

func accepted(_ record: TaskRecord, _ request: RouteRequest) -> HTTPResponse {
    accepted(AcceptedRepresentation(record, request.language))
}

func accepted(_ task: AcceptedRepresentation) -> HTTPResponse {
    var response = HTTPResponse.json(task, status: 202)
    response.headers.set("Location", "/tasks/\(task.task_id)")
    return response
}
