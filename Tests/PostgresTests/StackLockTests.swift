// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("The stack's lock", .onEachPostgres)
struct StackLockTests {
    private let server: TemporaryPostgres

    init() throws { server = try .shared }

    @Test("is had by one at a time, by the live database's name, and whoever waits hears of the holder")
    func oneAtATime() throws {
        let live = server.settings.naming(database: "lock_a")
        var held: StackLock? = try StackLock.take(live, for: "restore of something", atMost: 1)
        let told = Monitor<[String]>([])
        #expect {
            try StackLock.take(live, for: "backup", atMost: 0.5) { holder in told.withLock { $0.append(holder) } }
        } throws: { error in
            guard case .stackBusy("lock_a", let holder) = error as? PostgresError else { return false }
            return holder.contains("restore of something")
        }
        #expect(told.withLock { $0.count } == 1)
        #expect(try StackLock.isHeld(live))
        // Another database of the same server is another stack.
        _ = try StackLock.take(server.settings.naming(database: "lock_b"), for: "backup", atMost: 0)
        #expect(held?.isHeld == true)
        held = nil
        _ = try StackLock.take(live, for: "backup", atMost: 5)
        #expect(try !StackLock.isHeld(server.settings.naming(database: "lock_a_of_nobody")))
    }

    @Test("is not held any more by a session that the server ended, and can be had again")
    func lostSession() throws {
        let live = server.settings.naming(database: "lock_lost")
        let lock = try StackLock.take(live, for: "test", atMost: 1)
        let pid = try #require(try lock.databases.connect().rows("select pg_backend_pid()").first?.int(0))
        try Connection(server.superuser).execute("select pg_terminate_backend(\(pid))")
        #expect(!lock.isHeld)
        _ = try StackLock.take(live, for: "again", atMost: 5)
    }

    @Test("needs the one maintenance database that is configured, and says which when it is not there")
    func maintenanceDatabase() throws {
        let settings = ConnectionSettings(
            host: server.settings.host, port: server.settings.port, user: server.settings.user,
            password: server.settings.password, database: "lock_c", maintenanceDatabase: "no_such_maintenance")
        #expect {
            try StackLock.take(settings, for: "test", atMost: 0)
        } throws: { error in
            if case .maintenanceDatabaseNotUsable("no_such_maintenance", _) = error as? PostgresError {
                true
            } else {
                false
            }
        }
    }

    @Test("is refused where another service has it in another maintenance database, and names both")
    func twoMaintenanceDatabases() throws {
        func settings(_ maintenance: String) -> ConnectionSettings {
            ConnectionSettings(
                host: server.settings.host, port: server.settings.port, user: server.settings.user,
                password: server.settings.password, database: "lock_two", maintenanceDatabase: maintenance)
        }
        var held: StackLock? = try StackLock.take(settings("postgres"), for: "restore of something", atMost: 1)
        let error = #expect(throws: PostgresError.self) {
            _ = try StackLock.take(settings("mlflow"), for: "backup", atMost: 0.5)
        }
        #expect(error?.errorCode == "maintenance-database-differs", "\(String(describing: error))")
        for text in [error?.explanation.english, error?.explanation.chinese] {
            for word in ["postgres", "mlflow", "restore of something"] { #expect(text?.contains(word) == true) }
        }
        #expect(held?.isHeld == true)
        held = nil
        _ = try StackLock.take(settings("mlflow"), for: "backup", atMost: 5)
    }

    @Test(
        "is refused behind a pooler that shares sessions by the transaction, and works behind one that does not",
        arguments: ["transaction", "statement", "session"])
    func pooler(mode: String) throws {
        let folder = try TemporaryFolder("pooler")
        let port = try FreePort.next()
        try folder.write(
            "pgbouncer.ini",
            """
            [databases]
            * = host=127.0.0.1 port=\(server.port) user=postgres password=postgres
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            auth_type = any
            pool_mode = \(mode)
            logfile = \(folder.path)/log
            pidfile = \(folder.path)/pid
            unix_socket_dir =
            default_pool_size = 3
            query_wait_timeout = 1
            ignore_startup_parameters = extra_float_digits
            """)
        // It refuses to run as root.
        let start = "pgbouncer -d -q '\(folder.path)/pgbouncer.ini'"
        if getuid() == 0 {
            try Shell.run("/bin/chown", ["-R", "postgres", folder.path.string])
            try Shell.sh("setpriv --reuid=postgres --regid=postgres --init-groups \(start)")
        } else {
            try Shell.sh(start)
        }
        defer { _ = try? Shell.sh("kill $(cat '\(folder.path)/pid')") }
        let pooled = ConnectionSettings(
            host: "127.0.0.1", port: port, user: "postgres", password: Secret("postgres"), database: "lock_\(mode)")
        var outcome: Result<StackLock, any Error>?
        // The daemon needs a moment to listen.
        for _ in 0..<100 {
            outcome = Result { try StackLock.take(pooled, for: "test", atMost: 2) }
            if case .failure(PostgresError.unreachable)? = outcome { usleep(50_000) } else { break }
        }
        switch (mode, try #require(outcome)) {
        case ("session", .success(let lock)):
            #expect(lock.isHeld)
            #expect(throws: Never.self) { try StackLock.look(pooled) }
            // What waits for another session of ours would wait for ever.
            let session = try Connection(pooled.naming(database: "mlflow"))
            #expect(throws: Never.self) { try session.requirePooled(3) }
            #expect(try ConnectionRoom(on: session).jobs(atMost: 4) == 1)
            let small = #expect(throws: PostgresError.self) { try session.requirePooled(4) }
            #expect(small?.explanation.english.contains("4 needed, 3 had at once, the pooler") == true)
        case ("transaction", .failure(let error)), ("statement", .failure(let error)):
            let pooler = PostgresError.pooled(host: "127.0.0.1", port: port)
            #expect(error as? PostgresError == pooler)
            #expect(throws: pooler) { try StackLock.look(pooled) }
        case (_, let other): Issue.record("\(mode): \(other)")
        }
    }
}

@Suite("A swap that spares a session", .onEachPostgres)
struct SparingSwapTests {
    @Test("lets it stay until all others are gone, and nobody writes after it was told to leave")
    func spared() throws {
        let server = try TemporaryPostgres.shared
        let databases = Databases(server.settings)
        let live = try server.freshDatabase("spared")
        let replacement = try server.freshDatabase("replacement")
        try Connection(live).execute("create table marks (number int)")
        let watcher = try Connection(live)
        let pid = try #require(try watcher.rows("select pg_backend_pid()").first?.int(0))
        try watcher.execute("begin")
        try watcher.execute("lock table marks in share mode")
        let stop = Monitor(false)
        let acknowledged = Monitor(0)
        let writers = try (0..<4).map { number in
            try WorkerThread("writer \(number)") {
                while !stop.withLock({ $0 }) {
                    guard let session = try? Connection(live) else { continue }
                    while !stop.withLock({ $0 }), (try? session.execute("insert into marks values (1)")) != nil {
                        acknowledged.withLock { $0 += 1 }
                    }
                }
            }
        }
        let counted = try #require(try watcher.rows("select count(*) from marks").first?.int64(0))
        let told = Monitor(0)
        let old = live.database + "_old"
        try databases.swap(
            live: live.database, replacement: replacement.database, keepingOldAs: old, sparing: [pid],
            leave: {
                told.withLock { $0 += 1 }
                watcher.close()
            })
        stop.withLock { $0 = true }
        writers.forEach { $0.join() }
        #expect(told.withLock { $0 } == 1)
        let kept = try #require(
            try Connection(server.settings.naming(database: old)).rows("select count(*) from marks").first?.int64(0))
        #expect(kept == counted)
        #expect(acknowledged.withLock { $0 } == 0, "the table was locked all the while")
    }
}
