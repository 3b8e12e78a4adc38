// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO

extension ComparisonSession {
    /// Begins a transaction in which every table is locked against writing (LOCK TABLE … IN SHARE MODE, PostgreSQL manual,
    /// 13.3.1), and runs `body` in it. The locks stay when it returns: until `end`, what `body` saw is all there is.
    ///
    /// Locked are the large objects, too, where this role may do that, which a superuser may: there readers wait as well. Not
    /// locked are tables of an extension that gives no right to it.
    ///
    /// Readers go on, writers wait. Nobody waits for us: where a lock is not had within seconds, all are let go and
    /// asked for again.
    /// - Throws: `PostgresError.tablesInUse`, with who holds it, where a table stays in use; what `body` throws. Nothing is locked then.
    func lockingTables<Result>(_ body: () throws -> Result) throws -> Result {
        for attempt in 1...Self.lockAttempts {
            do {
                let locked = try lockTables()
                let result = try body()
                // A table made between the listing and the lock could be written to: then once more.
                if Set(try TableShape.all(in: self).keys).isSubset(of: locked) { return result }
                end()
            } catch let error as PostgresError {
                end()
                guard case .query("55P03", _) = error else { throw error }
                if attempt == Self.lockAttempts {
                    throw error.namingHolders(
                        of: .lockingOut, in: connection.settings, seconds: Double(Self.lockSeconds))
                }
                usleep(200_000)
            } catch {
                end()
                throw error
            }
        }
        // Tables were made all the while.
        throw PostgresError.tablesInUse(seconds: Self.lockSeconds, holders: [])
    }

    private static let lockAttempts = 5
    private static let lockSeconds = 3

    /// - Returns: the tables that were there.
    private func lockTables() throws -> Set<QualifiedTable> {
        let shapes = try TableShape.all(in: self)
        var tables = shapes.values.filter(\.isLockable).map(\.table).sorted()
        tables += try LargeObjects(self).lockable()
        // LOCK TABLE takes no snapshot: the first query after it does, which then sees what the locks waited for.
        try connection.execute("begin isolation level repeatable read")
        guard !tables.isEmpty else { return Set(shapes.keys) }
        try connection.execute("set local lock_timeout = '\(number: Self.lockSeconds)s'")
        let names = tables.map { table -> SQL in "only \(identifier: table)" }
        try connection.execute("lock table " + SQL.list(names) + " in share mode")
        return Set(shapes.keys)
    }

    /// That the session, with what it has locked, is still there.
    /// - Throws: `PostgresError.connectionLost`.
    func confirm() throws(PostgresError) { try connection.execute("select 1") }

    func processID() throws -> Int {
        guard let row = try rows("select pg_backend_pid() as pid").first else {
            throw PostgresError.unexpectedValue(column: "pid", found: "no row")
        }
        return try row.int("pid")
    }
}
