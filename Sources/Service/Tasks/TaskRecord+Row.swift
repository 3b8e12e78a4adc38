// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SQLite
import SystemIO
import Wording

extension TaskRecord {
    /// Column names and values, in one place for INSERT and UPDATE.
    /// - Throws: what the JSON encoder reports for the owner or the findings; not known to happen.
    func columns() throws -> [(name: String, value: SQLiteValue)] {
        [
            ("id", .text(id)),
            ("kind", .text(kind.rawValue)),
            ("origin", .text(origin.rawValue)),
            ("status", .text(status.rawValue)),
            ("message_zh", .text(message.chinese)),
            ("message_en", .text(message.english)),
            ("created_at", .integer(createdAt.epoch)),
            ("started_at", SQLiteValue(startedAt?.epoch)),
            ("completed_at", SQLiteValue(completedAt?.epoch)),
            ("backup_name", SQLiteValue(backupName)),
            ("output_zh", SQLiteValue(output?.chinese)),
            ("output_en", SQLiteValue(output?.english)),
            ("backup_directory", SQLiteValue(backupDirectory)),
            ("phase_zh", SQLiteValue(progress?.phase.chinese)),
            ("phase_en", SQLiteValue(progress?.phase.english)),
            ("fraction", SQLiteValue(progress?.fraction)),
            ("done_bytes", SQLiteValue((progress?.doneBytes).map { Int64(clamping: $0) })),
            ("total_bytes", SQLiteValue((progress?.totalBytes).map { Int64(clamping: $0) })),
            ("warning_count", SQLiteValue(warningCount.map { Int64($0) })),
            ("notice_zh", SQLiteValue(notice?.chinese)),
            ("notice_en", SQLiteValue(notice?.english)),
            ("error_code", SQLiteValue(failure?.code)),
            ("findings", SQLiteValue(try failure.flatMap(Self.findingsColumn))),
            ("email", SQLiteValue(email)),
            ("owner", .text(String(decoding: try JSONEncoder().encode(owner), as: UTF8.self))),
        ]
    }

    /// `nil` for a row whose kind, state or origin this version does not know.
    init?(_ row: SQLiteRow) {
        guard let id = row["id"].shownText, let kind = row["kind"].shownText.flatMap(Kind.init(rawValue:)),
            let origin = row["origin"].shownText.flatMap(Origin.init(rawValue:)),
            let status = row["status"].shownText.flatMap(Status.init(rawValue:)),
            let message = row.bilingual("message"), let createdAt = row["created_at"].integer,
            let owner = row["owner"].shownText.flatMap(Self.owner)
        else { return nil }
        self.init(
            id: id, kind: kind, origin: origin, message: message, createdAt: LocalTime(epoch: createdAt),
            owner: owner, status: status, backupName: row["backup_name"].shownText, email: row["email"].shownText)
        startedAt = row["started_at"].integer.map { LocalTime(epoch: $0) }
        completedAt = row["completed_at"].integer.map { LocalTime(epoch: $0) }
        output = row.bilingual("output")
        backupDirectory = row["backup_directory"].shownText
        progress = row.bilingual("phase").map { phase in
            Progress(
                phase: phase, fraction: row["fraction"].real.map { $0.isNaN ? 0 : min(max($0, 0), 1) },
                doneBytes: row["done_bytes"].integer.map { UInt64(clamping: $0) },
                totalBytes: row["total_bytes"].integer.map { UInt64(clamping: $0) })
        }
        warningCount = row["warning_count"].integer.map { Int($0) }
        notice = row.bilingual("notice")
        failure = row["error_code"].shownText.map { code in
            Failure(code: code, findings: row["findings"].shownText.map(Self.findings) ?? [])
        }
    }

    private static func findingsColumn(_ failure: Failure) throws -> String? {
        guard !failure.findings.isEmpty else { return nil }
        let pairs = failure.findings.map { [$0.chinese, $0.english] }
        return String(decoding: try JSONEncoder().encode(pairs), as: UTF8.self)
    }

    /// A list that cannot be read is an empty one: the message says the same in a sentence.
    private static func findings(_ json: String) -> [BilingualText] {
        let pairs = (try? JSONDecoder().decode([[String]].self, from: Data(json.utf8))) ?? []
        return pairs.compactMap { $0.count == 2 ? BilingualText(zh: $0[0], en: $0[1]) : nil }
    }

    private static func owner(_ json: String) -> ProcessIdentity? {
        try? JSONDecoder().decode(ProcessIdentity.self, from: Data(json.utf8))
    }
}

extension SQLiteRow {
    fileprivate func bilingual(_ name: String) -> BilingualText? {
        guard let chinese = self["\(name)_zh"].shownText, let english = self["\(name)_en"].shownText else { return nil }
        return BilingualText(zh: chinese, en: english)
    }
}
