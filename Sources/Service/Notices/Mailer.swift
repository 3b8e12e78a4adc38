// SPDX-License-Identifier: Apache-2.0

import Curl
import SystemIO

/// Hands mails to an SMTP server, one connection a mail. Blocks while it does.
package struct Mailer: Sendable {
    package let settings: MailSettings
    private let connectSeconds: Double
    private let totalSeconds: Double

    package init(_ settings: MailSettings, connectSeconds: Double = 10, totalSeconds: Double = 60) {
        self.settings = settings
        self.connectSeconds = connectSeconds
        self.totalSeconds = totalSeconds
    }

    /// Returns once the server has taken the mail.
    package func send(_ message: MailMessage) throws(MailError) {
        var reply = ""
        var code = 0
        do throws(CurlError) {
            let transfer = try CurlTransfer(
                settings.url, protocols: "smtp,smtps", connectSeconds: connectSeconds, seconds: totalSeconds)
            try transfer.keepRefusals()
            try transfer.setEncryption(encryption, authorityFile: settings.authorityFile?.string)
            if let username = settings.username, let password = settings.password {
                try transfer.setLogin(username: username, password: password.revealed)
            }
            try transfer.sendMail(from: settings.from.text, to: [message.to.text], text: message.encoded)
            defer {
                reply = transfer.refusal
                code = transfer.responseCode
            }
            try transfer.perform()
        } catch {
            throw explain(error, code: code, reply: reply)
        }
    }

    private var encryption: CurlTransfer.Encryption {
        // smtps:// is encrypted before SMTP begins; libcurl takes the option for that too.
        if settings.url.lowercased().hasPrefix("smtps:") { return .required }
        return switch settings.startTLS {
        case .required: .required
        case .optional: .whereOffered
        case .off: .none
        }
    }

    private func explain(_ error: CurlError, code: Int, reply: String) -> MailError {
        let server = settings.url
        return switch error.kind {
        case .unknownHost, .cannotConnect: .unreachable(server: server, reason: error.message)
        case .timedOut: .timedOut(server: server)
        case .encryption: .encryption(server: server, reason: error.message)
        case .login: .loginRefused(server: server, reply: reply)
        // Whatever libcurl makes of it: after a reply of 400 or more the server's own words are the reason.
        case _ where code >= 400: .refused(server: server, code: code, reply: reply)
        default: .failed(server: server, reason: error.message)
        }
    }
}
