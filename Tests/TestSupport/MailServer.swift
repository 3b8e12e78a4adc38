// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO

/// aiosmtpd, and what it decoded.
public struct MailServer {
    public struct Entry: Decodable {
        public let event: String
        public var sender: String?
        public var recipients: [String]?
        public var subject: String?
        public var body: String?
        public var headers: [String: String]?
        public var defects: [String]?
        public var longestLine: Int?
        public var ascii: Bool?
        public var encrypted: Bool?
        public var authenticated: Bool?
    }

    private let peer: PythonPeer

    public init(_ arguments: [String] = []) throws { peer = try PythonPeer("smtp_server.py", arguments) }

    public var url: String { "smtp://localhost:\(peer.port)" }
    /// For a server that was started with `--implicit`.
    public var encryptedURL: String { "smtps://localhost:\(peer.port)" }

    /// Waits for the first mail to somebody, twenty seconds at most.
    public func message(to recipient: String) throws -> Entry {
        for _ in 0..<200 {
            if let found = try entries("message").first(where: { $0.recipients?.contains(recipient) == true }) {
                return found
            }
            usleep(100_000)
        }
        throw NoMail(recipient: recipient)
    }

    private struct NoMail: Error { let recipient: String }

    public func entries(_ event: String) throws -> [Entry] {
        try peer.log()
            .map { try JSONDecoder().decode(Entry.self, from: Data($0)) }.filter { $0.event == event }
    }
}

/// A certificate for `localhost` that its own key signed.
public struct SelfSignedCertificate {
    public let certificate: FilePath
    public let key: FilePath

    public init(in folder: FilePath) throws {
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
