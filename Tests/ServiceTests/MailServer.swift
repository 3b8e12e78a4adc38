// SPDX-License-Identifier: Apache-2.0

import Foundation
import Service
import SystemIO

/// aiosmtpd, and what it decoded.
struct MailServer {
    struct Entry: Decodable {
        let event: String
        var sender: String?
        var recipients: [String]?
        var subject: String?
        var body: String?
        var headers: [String: String]?
        var defects: [String]?
        var longestLine: Int?
        var ascii: Bool?
        var encrypted: Bool?
        var authenticated: Bool?
    }

    private let peer: PythonPeer

    init(_ arguments: [String] = []) throws { peer = try PythonPeer("smtp_server.py", arguments) }

    var url: String { "smtp://localhost:\(peer.port)" }
    /// For a server that was started with `--implicit`.
    var encryptedURL: String { "smtps://localhost:\(peer.port)" }

    func entries(_ event: String) throws -> [Entry] {
        let file = peer.folder.path.appending("log.jsonl")
        guard try FileStatus.ifPresent(file) != nil else { return [] }
        return try OpenFile(file, .read).readAll().split(separator: UInt8(ascii: "\n"))
            .map { try JSONDecoder().decode(Entry.self, from: Data($0)) }.filter { $0.event == event }
    }
}

/// A certificate for `localhost` that its own key signed.
struct SelfSignedCertificate {
    let certificate: FilePath
    let key: FilePath

    init(in folder: ScratchFolder) throws {
        certificate = folder.path.appending("certificate.pem")
        key = folder.path.appending("key.pem")
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
