// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A proxy before a server that goes wrong as it is told (`faulty_proxy.py`).
package final class FaultyProxy: Sendable {
    private let peer: PythonPeer
    package var port: Int { peer.port }

    package init(before server: ObjectServer) throws {
        peer = try PythonPeer("faulty_proxy.py", ["\(FreePort.next())", "\(server.port)"])
    }

    package func go(_ mode: String) throws { try peer.folder.write("mode", mode) }

    /// Objects that were read, a request each, not counting listings.
    package func reads() throws -> Int {
        try requests().filter { $0.hasPrefix("GET ") && !$0.contains("?") }.count
    }

    /// Requests that came, as `GET /bucket/a`.
    package func requests() throws -> [String] {
        try peer.log().map { line in
            let entry = try JSONDecoder().decode(Entry.self, from: Data(line))
            return "\(entry.method) \(entry.path)"
        }
    }

    private struct Entry: Decodable {
        let method: String
        let path: String
    }
}

extension ObjectServer {
    /// The variables that MLflow would have for it.
    package var environment: [String: String] { environment(port: port) }

    /// - Parameter port: of a proxy before it.
    package func environment(port: Int) -> [String: String] {
        [
            "AWS_ACCESS_KEY_ID": keyID, "AWS_SECRET_ACCESS_KEY": secret,
            "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:\(port)",
        ]
    }
}
