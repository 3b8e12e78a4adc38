// SPDX-License-Identifier: Apache-2.0

import Backup
import SystemIO
import Wording

/// A service that cannot start has nobody who reads what it writes to standard error, and no backup is made meanwhile.
package enum StartFailure {
    private static let prefix = "start "

    /// The service has started: what keeps it from that tomorrow is news.
    package static func end(_ settings: Settings, log: Log) {
        let operations = settings.operations(log: log)
        let told = ToldFailures(in: operations.folder.state, of: operations.stack, log: log)
        told.forget { $0.hasPrefix(prefix) }
    }

    /// Tells by mail and by a ping, once a day: whoever starts it may do so again and again.
    package static func tell(_ settings: Settings, because error: any Error, log: Log) {
        let operations = settings.operations(log: log)
        let folder = operations.folder
        let state = folder.writeProtection == nil ? folder.state : nil
        let told = ToldFailures(in: state, of: operations.stack, log: log)
        guard told.isNews(prefix + error.stableCode, quietFor: ToldFailures.quiet.start) else { return }
        let reason = BilingualText(zh: "备份服务无法启动：", en: "The backup service cannot start: ") + error.bilingual
        do {
            let notices = try NoticeDispatcher(
                mailer: settings.mail.map { Mailer($0) }, policy: NoticePolicy(settings),
                outbox: state.map { Outbox(in: $0) }, log: log)
            let pings = try settings.ping.map { try Pings($0, in: state, log: log) }
            notices.tell(.init(kind: .begins, check: "service", text: reason, since: .now()))
            pings?.ended(well: false, reason[.english])
            pings?.flush(atMost: 15)
            pings?.stop()
            notices.flush(atMost: 60)
            notices.stop()
        } catch {
            log.error("nobody is told that the service cannot start", ["reason": error.bilingual[.english]])
        }
    }
}
