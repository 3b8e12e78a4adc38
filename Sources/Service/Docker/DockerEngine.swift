// SPDX-License-Identifier: Apache-2.0

import Curl
import Wording

/// The three calls of the Docker Engine API that a restore needs: ping, stop and start of one container.
///
/// A socket proxy must let through no more than `GET /_ping`, `POST /containers/NAME/stop` and
/// `POST /containers/NAME/start`. Source: Docker Engine API, sections Container and System. Paths without a version
/// are answered by every engine.
package struct DockerEngine: Sendable, Equatable {
    package static let usualHost = "unix:///var/run/docker.sock"

    private let socket: String?
    private let base: String

    /// - Parameter host: `unix:///var/run/docker.sock` or `tcp://proxy:2375`, as DOCKER_HOST has it; `nil` for others.
    package init?(host: String) {
        if host.hasPrefix("unix:///") {
            (socket, base) = (String(host.dropFirst(7)), "http://docker")
        } else if host.hasPrefix("tcp://"), host.utf8.count > 6, !host.contains("@") {
            (socket, base) = (nil, "http://" + host.dropFirst(6))
        } else {
            return nil
        }
    }

    package var isReachable: Bool { (try? send("GET", "/_ping", seconds: 3).status) == 200 }

    /// SIGTERM, and after 30 seconds SIGKILL. - Returns: `false` where it was not running.
    /// - Throws: `DockerError`.
    package func stop(_ container: String) throws -> Bool {
        let answer = try send("POST", "/containers/\(container)/stop?t=30", seconds: 60)
        switch answer.status {
        case 204: return true
        case 304: return false
        default: throw DockerError.refused(container: container, action: "stop", answer)
        }
    }

    /// A container that runs already is fine. - Throws: `DockerError`.
    package func start(_ container: String) throws {
        let answer = try send("POST", "/containers/\(container)/start", seconds: 60)
        guard answer.status == 204 || answer.status == 304 else {
            throw DockerError.refused(container: container, action: "start", answer)
        }
    }

    private func send(_ method: String, _ path: String, seconds: Double) throws -> WebResponse {
        do throws(CurlError) {
            let transfer = try CurlTransfer(base + path, protocols: "http", connectSeconds: 3, seconds: seconds)
            if let socket { try transfer.setUnixSocket(socket) }
            try transfer.collectBody(limit: 1 << 16)
            if method == "POST" { try transfer.post([], as: "application/json") }
            try transfer.perform()
            return WebResponse(status: transfer.responseCode, body: transfer.body)
        } catch {
            throw DockerError.unreachable(reason: error.message)
        }
    }
}

/// Docker did not do what was asked of it.
package enum DockerError: ExplainedError, Equatable {
    case unreachable(reason: String)
    case refused(container: String, action: String, WebResponse)

    package var explanation: BilingualText {
        switch self {
        case .unreachable(let reason):
            BilingualText(
                zh: "Docker 引擎没有应答（\(reason)）；请检查套接字的挂载和权限",
                en: "the Docker engine does not answer (\(reason)); check the socket's mount and its permissions")
        case .refused(let container, let action, let answer):
            BilingualText(
                zh: "Docker 拒绝了对容器 \(container) 的 \(action)（HTTP \(answer.status)）",
                en: "Docker refused to \(action) the container \(container) (HTTP \(answer.status))")
        }
    }
}
