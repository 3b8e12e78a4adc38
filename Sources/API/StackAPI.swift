// SPDX-License-Identifier: Apache-2.0

import Backup
import HTTPServer
import Service
import SystemIO
import Wording

/// The REST API of a service: every route, in one table.
package struct StackAPI: Sendable {
    private let router: Router

    package init(_ service: StackService) {
        let gate = RequestGate(
            token: service.settings.apiToken, allowedHosts: service.settings.allowedHosts,
            ownName: HostName.current())
        router = Router(
            Self.routes(of: service), gate: gate, log: service.log,
            checkFolder: FolderCheck(service.operations.folder.path))
    }

    static func routes(of service: StackService) -> [Route] {
        BackupRoutes(service: service).routes + RestoreRoutes(service: service).routes
            + TaskRoutes(service: service).routes + StatusRoutes(service: service).routes
            + DocumentationRoutes().routes
    }

    /// Blocks the calling thread for as long as the answer takes.
    package func answer(_ request: HTTPRequest) -> HTTPResponse { router.answer(request) }

    /// What whoever is not let in hears before the service has received what he sends; `nil` where he is.
    package func refusal(_ request: HTTPRequest) -> HTTPResponse? { router.refusal(request) }

    /// The answer to a request that the server refused before any route saw it.
    package static func answer(_ rejection: HTTPRejection, _ request: HTTPRequest) -> HTTPResponse {
        let error: RequestError =
            switch rejection {
            case .bodyTooLarge(let limit): .tooLarge(limit: limit)
            case .headTooLarge: .headTooLarge
            case .misdirected(let authority): .unknownHost(authority)
            case .methodTooLong: .notImplemented(.init(zh: "没有这样的方法", en: rejection.reason))
            case .unsupportedTransferCoding: .notImplemented(.init(zh: "不支持任何传输编码", en: rejection.reason))
            case .versionNotSupported: .versionNotSupported
            case .lengthRequired: .lengthRequired
            case .tooManyFiles, .tooMuchContent: .tooBusy
            case .malformed(let fault): .malformed(fault.text)
            }
        var response = Problem(error).response(Language(acceptLanguage: request.headers["Accept-Language"]))
        SecurityHeaders.set(on: &response)
        response.headers.set("Cache-Control", "no-store")
        return response
    }
}
