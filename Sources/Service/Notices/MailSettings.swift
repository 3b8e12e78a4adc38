// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// How to reach the mail server.
package struct MailSettings: Sendable, Equatable {
    /// Whether the connection must be encrypted before the password and the mail are sent.
    package enum StartTLS: String, Sendable, CaseIterable {
        case required, optional, off
    }

    /// `smtp://host:587` or `smtps://host`.
    package var url: String
    package var username: String?
    package var password: Secret?
    package var from: MailAddress
    /// Of no meaning for `smtps://`, which is encrypted from the start.
    package var startTLS: StartTLS
    /// Certificates to trust instead of the system's, PEM.
    package var authorityFile: FilePath?

    package init(
        url: String, from: MailAddress, username: String? = nil, password: Secret? = nil, startTLS: StartTLS? = nil,
        authorityFile: FilePath? = nil
    ) {
        self.url = url
        self.from = from
        self.username = username
        self.password = password
        // A password never goes over the wire in the clear unless somebody asked for that in so many words.
        self.startTLS = startTLS ?? (username == nil ? .optional : .required)
        self.authorityFile = authorityFile
    }
}

extension MailSettings {
    /// `nil` where SMTP_URL is not given.
    init?(_ reader: SettingsReader) throws(SettingsError) {
        // Read before the way out: a bad value is worth hearing of although it is not used yet.
        let from = try reader.address(.smtpFrom)
        let startTLS = try reader.choice(.smtpStartTLS, of: StartTLS.self)
        let password = try reader.secret(.smtpPassword)
        let authorityFile = try reader.path(.smtpAuthorityFile)
        guard let url = try reader.url(.smtpURL, schemes: ["smtp", "smtps"]) else { return nil }
        let username = reader.text(.smtpUsername)
        if username != nil, password == nil {
            throw .missing(variable: SettingName.smtpPassword.rawValue, neededBy: SettingName.smtpUsername.rawValue)
        }
        if password != nil, username == nil {
            throw .missing(variable: SettingName.smtpUsername.rawValue, neededBy: SettingName.smtpPassword.rawValue)
        }
        guard let sender = from ?? username.flatMap({ try? MailAddress($0) }) ?? Self.defaultSender() else {
            throw .missing(variable: SettingName.smtpFrom.rawValue, neededBy: SettingName.smtpURL.rawValue)
        }
        self.init(
            url: url, from: sender, username: username, password: password, startTLS: startTLS,
            authorityFile: authorityFile)
    }

    private static func defaultSender() -> MailAddress? { try? MailAddress("mlflow-backup@\(HostName.current())") }
}

/// This machine's name, as mails show it.
package enum HostName {
    package static func current() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
