// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Looks at the service's health each half minute, whether somebody asks or not, and tells of what is not well: in the log, and by
/// mail where an address is set. What was told survives a restart where it can be written down, and is in memory where not.
final class AlarmWatch: Sendable {
    private let book: Monitor<AlarmBook>
    private let work = RepeatedWork("alarms", every: 30)
    private let file: FilePath?
    private let notices: NoticeDispatcher
    private let log: Log

    /// - Parameter folder: the state's, where what was told is written down.
    init(in folder: FilePath?, notices: NoticeDispatcher, log: Log) {
        file = folder?.appending("alarms.json")
        self.notices = notices
        self.log = log
        // Of one that cannot be read all is told anew.
        book = Monitor(file.flatMap { StateRecord.read(AlarmBook.self, at: $0) } ?? AlarmBook())
    }

    /// - Parameter look: what is not well now, and what was looked at; may block.
    func start(_ look: @escaping @Sendable () -> (faults: [Health.Fault], looked: Set<String>)) throws {
        try work.start { [self] in
            let seen = look()
            note(seen.faults, looked: seen.looked)
        }
    }

    func stop() { work.stop() }

    /// - Parameters: `AlarmBook.note`.
    func note(_ faults: [Health.Fault], looked: Set<String>? = nil, now: Int64 = LocalTime.now().epoch) {
        let (tellings, changed): ([AlarmBook.Telling], AlarmBook?) = book.withLock { book in
            let before = book
            let tellings = book.note(faults, looked: looked, now: now)
            return (tellings, book.isWorthWriting(after: before) ? book : nil)
        }
        for telling in tellings {
            let (check, since, text) = (telling.check, telling.since.iso, telling.text[.english])
            switch telling.kind {
            case .begins: log.error("alarm", ["check": check, "since": since, "finding": text])
            case .lasts: log.error("alarm lasts", ["check": check, "since": since, "finding": text])
            case .over: log.info("alarm over", ["check": check, "since": since])
            }
            notices.tell(telling)
        }
        if let changed { write(changed) }
    }

    private func write(_ book: AlarmBook) {
        // What a hung disk would hold up is the mail that tells of it.
        guard let file, case .answered = FolderPulse.look(at: file.parent) else { return }
        do {
            try StateRecord.write(book, to: file)
        } catch {
            // After a restart it is told once more: better than not at all.
            log.warning("what was told of is not written down", ["reason": error.bilingual[.english]])
        }
    }

}

extension AlarmBook {
    /// A look that found the same as the last one is not.
    fileprivate func isWorthWriting(after before: AlarmBook) -> Bool {
        alarms.mapValues { [$0.since, Int64($0.told), $0.wellSince ?? 0] }
            != before.alarms.mapValues { [$0.since, Int64($0.told), $0.wellSince ?? 0] }
    }
}
