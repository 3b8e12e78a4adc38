// SPDX-License-Identifier: Apache-2.0

import Wording

extension Settings {
    /// Who is to be told cannot be: that is known before the first failure.
    package var mailFinding: BilingualText? {
        guard let email, mail == nil else { return nil }
        return BilingualText(
            zh: "设置了 BACKUP_EMAIL=\(email)，但没有设置 SMTP_URL：不会发出任何邮件。请设置 SMTP_URL，如 smtps://mail.company.com。",
            en:
                "BACKUP_EMAIL=\(email) is set and SMTP_URL is not: no mail is sent at all. Set SMTP_URL, as smtps://mail.company.com."
        )
    }
}
