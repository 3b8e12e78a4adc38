// SPDX-License-Identifier: Apache-2.0

import SQLite
import SystemIO

extension SealedRow {
    /// The same of a database of SQLite.
    /// - Throws: `SQLiteError`, `DatabaseFileError.silent`.
    package static func newest(_ kind: Kind, of path: FilePath, atMost seconds: Double) throws -> SealedRow? {
        try SQLiteQuestions.ask(path, atMost: seconds) { questions in
            switch kind {
            case .webhook: try webhook(questions)
            case .gateway: try gateway(questions)
            }
        }
    }

    private static func webhook(_ questions: SQLiteQuestions) throws -> SealedRow? {
        guard questions.has("webhooks", "secret") else { return nil }
        let isLeft = questions.has("webhooks", "deleted_timestamp") ? "deleted_timestamp IS NULL" : "1"
        let time = questions.has("webhooks", "creation_timestamp") ? "creation_timestamp" : "NULL"
        let row = try questions.rows(
            """
            SELECT CASE WHEN length(CAST(secret AS BLOB)) <= \(longest) THEN secret END AS sealed FROM webhooks
            WHERE secret IS NOT NULL AND \(isLeft) ORDER BY \(time) DESC LIMIT 1
            """
        ).first
        return row.map { $0["sealed"].text.map { .webhook(token: $0) } ?? .malformed }
    }

    private static func gateway(_ questions: SQLiteQuestions) throws -> SealedRow? {
        guard questions.has("secrets", "wrapped_dek", "kek_version") else { return nil }
        let time = questions.has("secrets", "last_updated_at") ? "last_updated_at" : "NULL"
        let row = try questions.rows(
            """
            SELECT CASE WHEN length(CAST(wrapped_dek AS BLOB)) <= \(longest) THEN wrapped_dek END AS sealed,
              kek_version AS version FROM secrets ORDER BY \(time) DESC LIMIT 1
            """
        ).first
        guard let row else { return nil }
        guard case .blob(let bytes) = row["sealed"], let version = row["version"].integer else { return .malformed }
        return .gateway(wrappedKey: bytes, version: version)
    }
}
