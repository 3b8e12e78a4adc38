// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// What an MLflow database says of things that are not in it: where artifacts are, and what needs a key or a user.
package struct PlaceReading: Sendable {
    /// What has a place of its own.
    enum Things: Sendable, Equatable, CaseIterable { case experiments, runs, loggedModels, modelVersions, traces }

    /// Rows of one kind that have a location in common.
    struct Group: Sendable {
        let things: Things
        let location: String
        /// The locations of the first and the last of them, as they are.
        let examples: [String]
        let total: Int64
        /// Of these, deleted as MLflow does it: the rows stay, and so do the files.
        let deleted: Int64
        /// The first experiment that they are of, where they are of one.
        let experiment: Int64?
    }

    /// One that must have files.
    struct Expected: Sendable {
        let experiment: String
        let location: String
    }

    let groups: [Group]
    /// Whether there are more groups than these.
    let isCut: Bool
    let newestExperiment: Int64?
    /// The newest of each experiment.
    let expected: [Expected]
    /// Where an experiment goes that says nothing: that of experiment 0, without its number.
    let defaultRoot: String?
    /// Rows that are of no use without the server's key. Deleted ones do not count.
    package let webhookSecrets: Int64
    package let gatewaySecrets: Int64
    /// Whether this database is that of MLflow's users, too.
    package let hasUsers: Bool

    /// Of a database that MLflow never set up.
    static let nothing = PlaceReading(
        groups: [], isCut: false, newestExperiment: nil, expected: [], defaultRoot: nil, webhookSecrets: 0,
        gatewaySecrets: 0, hasUsers: false)

    init(
        groups: [Group], isCut: Bool, newestExperiment: Int64?, expected: [Expected], defaultRoot: String?,
        webhookSecrets: Int64, gatewaySecrets: Int64, hasUsers: Bool
    ) {
        (self.groups, self.isCut, self.newestExperiment) = (groups, isCut, newestExperiment)
        (self.expected, self.defaultRoot) = (expected, defaultRoot)
        (self.webhookSecrets, self.gatewaySecrets, self.hasUsers) = (webhookSecrets, gatewaySecrets, hasUsers)
    }

    /// A session whose statements have one time together.
    struct BoundedSession {
        let connection: Connection
        let limit: Cancellation

        func rows(_ sql: SQL) throws -> [Row] { try connection.rows(sql, cancellation: limit) }
    }

    /// - Parameter seconds: for all answers together; who holds a table is waited for a second at most.
    /// - Throws: `PostgresError`.
    package init(of settings: ConnectionSettings, atMost seconds: Double = 10) throws {
        let connection = try Connection(settings.waiting(atMost: seconds), applicationName: "mlflow-backup places")
        defer { connection.close() }
        // By transaction: behind a pooler the session is another's next.
        try connection.execute("begin isolation level repeatable read, read only")
        try connection.execute("set local statement_timeout = '\(number: Int(seconds * 1000))ms'")
        try connection.execute("set local lock_timeout = '1s'")
        let limit = Cancellation(within: Cancellation(), atMost: seconds)
        do { try self.init(BoundedSession(connection: connection, limit: limit)) } catch is CancelledError {
            throw PostgresError.unreachable(
                host: settings.host, port: settings.port, reason: "no answer within \(Int(seconds)) s")
        } catch let error as PostgresError { throw error.namingHolders(in: settings, seconds: 1) }
    }

    private init(_ session: BoundedSession) throws {
        guard let columns = try StoreColumns(of: session.connection) else {
            self = Self.nothing
            return
        }
        (groups, isCut) = try Self.groups(session, columns)
        expected = try Self.expected(session, columns)
        defaultRoot = try Self.defaultRoot(session, columns)
        webhookSecrets = try Self.webhookSecrets(session, columns)
        newestExperiment =
            columns.has("experiments", "experiment_id")
            ? try session.rows(
                "select max(experiment_id)::bigint as n from \(identifier: columns.table("experiments"))"
            ).first?.optional("n", as: Int64.self) : nil
        gatewaySecrets =
            columns.has("secrets", "encrypted_value")
            ? try Self.count(session, "select count(*) as n from \(identifier: columns.table("secrets"))") : 0
        hasUsers = try !session.rows(
            """
            select from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
            where c.relname = 'users' and c.relkind in ('r', 'p') and a.attname = 'password_hash' limit 1
            """
        ).isEmpty
    }

    private static func count(_ session: BoundedSession, _ query: SQL) throws -> Int64 {
        try session.rows(query).first?.int64("n") ?? 0
    }

    private static func webhookSecrets(_ session: BoundedSession, _ columns: StoreColumns) throws -> Int64 {
        guard columns.has("webhooks", "secret") else { return 0 }
        let isLeft: SQL = columns.has("webhooks", "deleted_timestamp") ? "deleted_timestamp is null" : "true"
        return try count(
            session,
            "select count(*) as n from \(identifier: columns.table("webhooks")) where secret is not null and \(isLeft)")
    }

    private static func defaultRoot(_ session: BoundedSession, _ columns: StoreColumns) throws -> String? {
        guard columns.has("experiments", "experiment_id", "artifact_location") else { return nil }
        let rows = try session.rows(
            """
            select artifact_location as location from \(identifier: columns.table("experiments")) where experiment_id = 0
            """)
        guard let location = try rows.first?.optional("location", as: String.self), location.hasSuffix("/0") else {
            return nil
        }
        return String(location.dropLast(2))
    }
}
