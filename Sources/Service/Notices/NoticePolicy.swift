// SPDX-License-Identifier: Apache-2.0

import Wording

/// Who is told of what, in which language, and how often sending is tried.
package struct NoticePolicy: Sendable {
    /// Gets every failure.
    package var standing: MailAddress?
    /// Whether `standing` gets successes too.
    package var tellsSuccess: Bool
    package var language: Language
    /// Seconds to wait before each further try; their count plus one is the number of tries.
    package var retryDelays: [Double]

    package init(
        standing: MailAddress?, tellsSuccess: Bool = false, language: Language = .chinese,
        retryDelays: [Double] = [5, 30]
    ) {
        self.standing = standing
        self.tellsSuccess = tellsSuccess
        self.language = language
        self.retryDelays = retryDelays
    }

    package init(_ settings: Settings) {
        self.init(standing: settings.email, tellsSuccess: settings.emailOnSuccess, language: settings.language)
    }

    /// An address named in a request is told of both outcomes: asking for it is what the field is for.
    func recipients(of event: NoticeEvent, requested: MailAddress?) -> [MailAddress] {
        var recipients: [MailAddress] = []
        if let requested { recipients.append(requested) }
        let isForAll = event.isFailure || tellsSuccess && event.outcome == .succeeded
        if let standing, isForAll, standing != requested { recipients.append(standing) }
        return recipients
    }
}
