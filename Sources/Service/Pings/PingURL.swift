// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO

/// Where a monitoring service waits for signs of life, in healthchecks.io's form: the address itself says success, `/start` and `/fail` behind
/// its path the rest (https://healthchecks.io/docs/http_api/). Who knows it can send such signs: it is a secret.
package struct PingURL: Sendable, Equatable {
    package enum Sign: String, Sendable, Equatable, Codable {
        case start
        case success
        case fail
    }

    private let address: Secret

    /// - Parameter text: `http` or `https`.
    init(_ text: String) { address = Secret(text) }

    /// Of files about it: the address itself stays secret.
    var fileName: String { "ping-\(SHA256.digest(of: Array(address.revealed.utf8)).hex.prefix(12))" }

    /// A query stays behind the path: `https://…/ping/ID?create=1` becomes `https://…/ping/ID/start?create=1`.
    func address(_ sign: Sign) -> String {
        let suffix =
            switch sign {
            case .start: "/start"
            case .success: ""
            case .fail: "/fail"
            }
        let text = address.revealed.prefix { $0 != "#" }
        let query = text.firstIndex(of: "?") ?? text.endIndex
        var path = text[..<query]
        while !suffix.isEmpty, path.hasSuffix("/") { path = path.dropLast() }
        return path + suffix + text[query...]
    }
}
