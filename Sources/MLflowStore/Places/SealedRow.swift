// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// A row that only a key of the server's opens, as it lies in the database. See `mlflow/store/model_registry/dbmodels/models.py`
/// (`EncryptedString`) and `mlflow/utils/crypto.py`.
package enum SealedRow: Sendable, Equatable {
    /// A webhook's secret: a Fernet token.
    case webhook(token: String)
    /// A gateway secret's data key, wrapped with what MLflow derives from its passphrase and this version.
    case gateway(wrappedKey: [UInt8], version: Int64)
    /// Larger than MLflow writes any, or without what belongs to it.
    case malformed

    /// MLflow's column has a thousand characters, and a wrapped key 60 bytes.
    static let longest: Int64 = 4096

    /// The newest of those that MLflow reads.
    /// - Parameter seconds: for the answer; who holds a table is waited for a second at most.
    /// - Returns: `nil` where there is none.
    /// - Throws: `PostgresError`, also for columns of another type than MLflow's.
    package static func newest(
        _ kind: Kind, of settings: ConnectionSettings, atMost seconds: Double
    ) throws -> SealedRow? {
        let connection = try Connection(settings.waiting(atMost: seconds), applicationName: "mlflow-backup keys")
        defer { connection.close() }
        try connection.execute("begin isolation level repeatable read, read only")
        try connection.execute("set local statement_timeout = '\(number: Int(seconds * 1000))ms'")
        try connection.execute("set local lock_timeout = '1s'")
        guard let columns = try StoreColumns(of: connection) else { return nil }
        return switch kind {
        case .webhook: try webhook(connection, columns)
        case .gateway: try gateway(connection, columns)
        }
    }

    package enum Kind: Sendable { case webhook, gateway }

    private static func webhook(_ connection: Connection, _ columns: StoreColumns) throws -> SealedRow? {
        guard columns.has("webhooks", "secret") else { return nil }
        let isLeft: SQL = columns.has("webhooks", "deleted_timestamp") ? "deleted_timestamp is null" : "true"
        let time: SQL = columns.has("webhooks", "creation_timestamp") ? "creation_timestamp" : "null::bigint"
        let rows = try connection.rows(
            """
            select case when octet_length(secret) <= \(longest) then secret end as sealed
            from \(identifier: columns.table("webhooks")) where secret is not null and \(isLeft)
            order by \(time) desc nulls last limit 1
            """)
        guard let row = rows.first else { return nil }
        return try row.optional("sealed", as: String.self).map { .webhook(token: $0) } ?? .malformed
    }

    private static func gateway(_ connection: Connection, _ columns: StoreColumns) throws -> SealedRow? {
        guard columns.has("secrets", "wrapped_dek", "kek_version") else { return nil }
        let time: SQL = columns.has("secrets", "last_updated_at") ? "last_updated_at" : "null::bigint"
        let rows = try connection.rows(
            """
            select case when octet_length(wrapped_dek) <= \(longest) then encode(wrapped_dek, 'hex') end as sealed,
              kek_version::bigint as version
            from \(identifier: columns.table("secrets")) order by \(time) desc nulls last limit 1
            """)
        guard let row = rows.first else { return nil }
        guard let text = try row.optional("sealed", as: String.self), let bytes = Self.bytes(hex: text),
            let version = try row.optional("version", as: Int64.self)
        else { return .malformed }
        return .gateway(wrappedKey: bytes, version: version)
    }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = HexDigits.value(of: digits[index]), let low = HexDigits.value(of: digits[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
