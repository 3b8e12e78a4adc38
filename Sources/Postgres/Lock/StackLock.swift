// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// One operation at a time on one live database, whatever folders and machines the services run in.
///
/// It is a session advisory lock in the maintenance database (PostgreSQL manual, 13.3.5), and the session that holds it
/// is the one that makes, renames and drops databases. While the server still works for a client that has died, the lock
/// is held: who gets it afterwards sees what that work came to.
package final class StackLock {
    /// Works on the session that holds the lock. After `connectionLost` the lock is lost, too, and after
    /// `processStuck` or `workUnfinished` it may be (the session was closed): `isHeld` tells.
    package let databases: Databases
    private let session: Connection

    private init(_ session: Connection) {
        self.session = session
        databases = Databases(holding: session)
    }

    /// Waits for whoever holds it.
    /// - Parameters:
    ///   - settings: names the live database, whose name is the key.
    ///   - purpose: what `pg_stat_activity` shows to those who wait.
    ///   - seconds: how long to wait at most.
    ///   - onWait: called once, with a description of the holder, when it has to be waited for.
    /// - Throws: `PostgresError.stackBusy` once the time is up, `.pooled`, `.maintenanceDatabaseDiffers`, `CancelledError`.
    package static func take(
        _ settings: ConnectionSettings, for purpose: String, atMost seconds: Double, cancellation: Cancellation? = nil,
        onWait: ((String) -> Void)? = nil
    ) throws -> StackLock {
        let start = MonotonicTime.nanoseconds()
        // The server cuts application names at 63 bytes.
        let session = try Databases.maintenanceSession(settings, applicationName: "mlflow-backup \(purpose)")
        try session.liftTimeouts()
        let key = key(of: settings.database)
        var told = false
        while true {
            try cancellation?.check()
            if try session.rows("select pg_catalog.pg_try_advisory_lock(\(key)) as got").first?.bool("got") == true {
                break
            }
            let holder = try holder(of: key, on: session)
            if MonotonicTime.seconds(since: start) >= seconds {
                throw PostgresError.stackBusy(database: settings.database, holder: holder)
            }
            if !told {
                told = true
                onWait?(holder)
            }
            usleep(200_000)
        }
        try refusePooling(of: session, key)
        try refuseOtherMaintenanceDatabase(session, key, settings)
        return StackLock(session)
    }

    /// Whether a lock could be had, without taking it: whoever only asks hears of a maintenance database that cannot be used, and of
    /// a pooler.
    /// - Returns: on a session in the maintenance database, as the lock's is.
    /// - Throws: `maintenanceDatabaseNotUsable`, `pooled`, `PostgresError`.
    package static func look(_ settings: ConnectionSettings) throws -> Databases {
        let session = try Databases.maintenanceSession(settings)
        let key = Int64.random(in: .min ... .max)
        if try session.isPooled() {
            _ = try session.rows("select pg_catalog.pg_try_advisory_lock(\(key))")
            try refusePooling(of: session, key)
            try session.execute("select pg_catalog.pg_advisory_unlock_all()")
        }
        return Databases(holding: session)
    }

    /// Whether somebody has it, which is asked without taking it for a moment: another one would be told that it is held.
    package static func isHeld(_ settings: ConnectionSettings) throws -> Bool {
        let session = try Databases.maintenanceSession(settings)
        defer { session.close() }
        return try !session.rows("select 1 from pg_catalog.pg_locks l where \(isHeld(key(of: settings.database)))")
            .isEmpty
    }

    deinit { session.close() }

    /// Gives the lock up before its time.
    package func release() { session.close() }

    /// Whether the session that holds the lock still answers. One that was lost lost the lock with it.
    package var isHeld: Bool {
        // Whatever the reason, a session without an answer is of no use any more.
        (try? session.rows("select 1")) != nil
    }

    /// Eight bytes of SHA-256 would need a library here; FNV-1a is enough to tell the databases of one server apart,
    /// and two that fell together would only wait for each other.
    static func key(of database: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "mlflow-backup:\(database)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }

    private static func holder(of key: Int64, on session: Connection) throws(PostgresError) -> String {
        let rows = try session.rows(
            """
            select \(holderColumns) from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a using (pid)
            where \(isHeld(key)) and l.database = (
              select oid from pg_catalog.pg_database where datname = current_database())
            """)
        guard let row = rows.first else { return "another service" }
        return try holderText(row)
    }

    private static let holderColumns: SQL =
        "a.pid, a.application_name as program, coalesce(a.client_addr::text, 'local') as origin"

    private static func isHeld(_ key: Int64) -> SQL {
        """
        l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and (l.classid::bigint << 32 | l.objid::bigint) = \(key)
        """
    }

    private static func holderText(_ row: Row) throws(PostgresError) -> String {
        let (program, origin) = (try row.string("program"), try row.string("origin"))
        return "\(program), \(origin), server process \(try row.int("pid"))"
    }

    /// Advisory locks are per database, and `pg_locks` shows those of all: a holder of our key in another one is a service
    /// that was given another maintenance database. Asked once the lock is had, so that of two services one sees the other.
    private static func refuseOtherMaintenanceDatabase(
        _ session: Connection, _ key: Int64, _ settings: ConnectionSettings
    ) throws {
        let rows = try session.rows(
            """
            select \(holderColumns), d.datname::text as other, current_database()::text as ours
            from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a using (pid)
            join pg_catalog.pg_database d on d.oid = l.database
            where \(isHeld(key)) and d.datname <> current_database()
            """)
        guard let row = rows.first else { return }
        let error = PostgresError.maintenanceDatabaseDiffers(
            database: settings.database, ours: try row.string("ours"), other: try row.string("other"),
            holder: try holderText(row))
        session.close()
        throw error
    }

    /// A pooler that hands sessions out by the statement or by the transaction would give the lock to anybody.
    /// Where the process that the handshake named is not the one that answers, a second session tries to take what the
    /// first one holds: only the very same server session can.
    private static func refusePooling(of session: Connection, _ key: Int64) throws {
        guard try session.isPooled() else { return }
        let second = try Connection(session.settings)
        defer { second.close() }
        if try second.rows("select pg_catalog.pg_try_advisory_lock(\(key)) as got").first?.bool("got") == true {
            // The same session now holds it twice, and nobody knows which: all of it goes.
            try second.execute("select pg_catalog.pg_advisory_unlock_all()")
            throw PostgresError.pooled(host: session.settings.host, port: session.settings.port)
        }
    }
}
