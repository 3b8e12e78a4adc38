// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO

/// aiosmtpd, and what it decoded.
package struct MailServer {
    package struct Entry: Decodable {
        package let event: String
        package var sender: String?
        package var recipients: [String]?
        package var subject: String?
        package var body: String?
        package var headers: [String: String]?
        package var defects: [String]?
        package var longestLine: Int?
        package var ascii: Bool?
        package var encrypted: Bool?
        package var authenticated: Bool?
    }

    private let peer: PythonPeer

    package init(_ arguments: [String] = []) throws { peer = try PythonPeer("smtp_server.py", arguments) }

    package var url: String { "smtp://localhost:\(peer.port)" }
    /// For a server that was started with `--implicit`.
    package var encryptedURL: String { "smtps://localhost:\(peer.port)" }

    /// Waits for the first mail to somebody, twenty seconds at most.
    package func message(to recipient: String) throws -> Entry {
        for _ in 0..<200 {
            if let found = try entries("message").first(where: { $0.recipients?.contains(recipient) == true }) {
                return found
            }
            usleep(100_000)
        }
        throw NoMail(recipient: recipient)
    }

    private struct NoMail: Error { let recipient: String }

    package func entries(_ event: String) throws -> [Entry] {
        try peer.log()
            .map { try JSONDecoder().decode(Entry.self, from: Data($0)) }.filter { $0.event == event }
    }
}

/// A certificate for `localhost` that its own key signed.
package struct SelfSignedCertificate {
    package let certificate: FilePath
    package let key: FilePath

    package init(in folder: FilePath) throws {
        certificate = folder.appending("certificate.pem")
        key = folder.appending("key.pem")
        let made = try ChildProcess(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost", "-keyout", key.string, "-out", certificate.string,
            ], environment: ["PATH": "/usr/bin:/bin"]
        ).run()
        guard made.succeeded else { throw SystemError("openssl: \(made.errors)", path: certificate.string, code: 5) }
    }
}
