// SPDX-License-Identifier: Apache-2.0

import Backup
import HTTPServer
import Service
import Wording

struct RestoreRoutes: Sendable {
    let service: StackService

    var routes: [Route] {
        [
            Route("POST", "/restore", at: .database, restore), Route("POST", "/restore/undo", at: .database, undo),
        ]
    }

    @Sendable private func restore(_ request: RouteRequest) throws -> HTTPResponse {
        let body = try RequestBody(request.http, known: ["backup_name", "mode", "force", "backup_first", "email"])
        guard let name = try body.string("backup_name") else { throw RequestError.missingField("backup_name") }
        let mode = try mode(body.string("mode"))
        let force = try body.bool("force") ?? false
        let backupFirst = try body.bool("backup_first") ?? true
        let email = try body.email("email")
        let item = try service.operations.catalogue.item(named: name)
        let record = try service.submit(
            .restore(item.name.string, mode, force: force, backupFirst: backupFirst), origin: .api, email: email)
        return accepted(record, request)
    }

    @Sendable private func undo(_ request: RouteRequest) throws -> HTTPResponse {
        let body = try RequestBody(request.http, known: ["force", "backup_first", "email"])
        let undo = OperationRequest.undo(
            force: try body.bool("force") ?? false, backupFirst: try body.bool("backup_first") ?? true)
        let record = try service.submit(undo, origin: .api, email: body.email("email"))
        return accepted(record, request)
    }

    private func mode(_ text: String?) throws -> RestoreMode {
        guard let text else { return .full }
        guard let mode = RestoreMode(rawValue: text) else {
            let names = RestoreMode.allCases.map(\.rawValue).joined(separator: ", ")
            throw RequestError.badValue(
                field: "mode", value: text, allowed: BilingualText(zh: " \(names) 之一", en: "one of \(names)"))
        }
        return mode
    }
}
