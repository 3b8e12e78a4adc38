// SPDX-License-Identifier: Apache-2.0

import Synchronization
import SystemIO
import TestSupport
import Testing

@testable import Postgres

@Suite("Swapping databases", .onEachPostgres, .serialized)
struct SwapTests {
    let server: TemporaryPostgres
    let databases: Databases

    init() throws {
        server = try TemporaryPostgres.shared
        databases = Databases(server.settings)
    }

    /// A database whose only row tells which one it is.
    private func marked(_ mark: String) throws -> ConnectionSettings {
        let database = try server.freshDatabase("swap")
        let session = try Connection(database)
        try session.execute("create table marks (mark text)")
        try session.execute("insert into marks values (\(mark))")
        return database
    }

    private func mark(in name: String) throws -> String? {
        try Connection(server.settings.naming(database: name)).rows("select mark from marks").first?.string("mark")
    }

    @Test("works while twenty sessions hammer the live one and reconnect, and can be undone the same way")
    func underLoad() throws {
        let live = try marked("old")
        let replacement = try marked("new")
        let stop = Cancellation()
        let seen = Seen()
        let threads = try (0..<20).map { number in
            try WorkerThread("hammer \(number)") {
                while !stop.isCancelled {
                    // Being thrown out is what the test is about: start again, as MLflow's pool does.
                    guard let session = try? Connection(live) else { continue }
                    while !stop.isCancelled, let row = try? session.rows("select mark from marks").first {
                        let mark = try? row.string("mark")
                        seen.count(mark)
                    }
                }
            }
        }
        defer {
            stop.cancel()
            threads.forEach { $0.join() }
        }
        while seen.old.load(ordering: .relaxed) < 1000 { sleepBriefly() }
        let old = live.database + "_old"
        try databases.swap(live: live.database, replacement: replacement.database, keepingOldAs: old)
        let before = seen.new.load(ordering: .relaxed)
        while seen.new.load(ordering: .relaxed) < before + 1000 { sleepBriefly() }
        #expect(try mark(in: live.database) == "new")
        #expect(try mark(in: old) == "old")
        #expect(try !databases.exists(replacement.database))

        try databases.swap(live: live.database, replacement: old, keepingOldAs: replacement.database)
        #expect(try mark(in: live.database) == "old")
        #expect(try mark(in: replacement.database) == "new")
        #expect(try !databases.exists(old))
    }

    @Test("leaves the live one alone when the replacement is missing or the old name is taken")
    func nothingHalf() throws {
        let live = try marked("live")
        let taken = try marked("taken")
        let replacement = try marked("replacement")
        #expect(throws: PostgresError.databaseMissing(name: "no_such")) {
            try databases.swap(live: live.database, replacement: "no_such", keepingOldAs: "kept")
        }
        #expect(throws: PostgresError.databaseExists(name: taken.database)) {
            try databases.swap(
                live: live.database, replacement: replacement.database, keepingOldAs: taken.database)
        }
        #expect(try mark(in: live.database) == "live")
        #expect(try mark(in: taken.database) == "taken")
        #expect(try mark(in: replacement.database) == "replacement")
    }

    @Test("undoes its first rename when the second one fails")
    func secondRenameFails() throws {
        let live = try marked("live")
        let replacement = try marked("replacement")
        // Not ours any more: the rename of the live one is done by then.
        let admin = try Connection(server.superuser)
        try admin.execute("alter database \(identifier: replacement.database) owner to postgres")
        let error = #expect(throws: PostgresError.self) {
            try databases.swap(live: live.database, replacement: replacement.database, keepingOldAs: "kept")
        }
        guard case .insufficientPrivilege("mlflow_user", _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try mark(in: live.database) == "live")
        #expect(try !databases.exists("kept"))
    }

    @Test("names the session that holds the database when it may not be ended")
    func foreignSession() throws {
        let live = try marked("live")
        let replacement = try marked("replacement")
        let foreign = try Connection(
            server.superuser.naming(database: live.database), applicationName: "nightly report")
        let pid = try #require(try foreign.rows("select pg_backend_pid()").first?.int(0))
        let error = #expect(throws: PostgresError.self) {
            try databases.swap(live: live.database, replacement: replacement.database, keepingOldAs: "kept")
        }
        guard case .databaseInUse(live.database, let holders)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(holders == ["postgres (pid \(pid), nightly report)"])
        try foreign.execute("select 1")
        #expect(try mark(in: live.database) == "live")
    }

    /// A pooler keeps the server process of a client that has left.
    @Test("ends whoever it spared, once that should have left and did not")
    func sparedAndStaying() throws {
        let live = try marked("live")
        let replacement = try marked("replacement")
        let sessions = [try Connection(live), try Connection(replacement)]
        let pids = try sessions.map { try $0.rows("select pg_backend_pid()").first?.int(0) ?? 0 }
        let start = ContinuousClock.now
        try databases.swap(
            live: live.database, replacement: replacement.database, keepingOldAs: live.database + "_old", sparing: pids)
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(try mark(in: live.database) == "replacement")
    }

    @Test("leaves the session that holds the stack's lock as it was, whether it comes about or not")
    func sessionSettings() throws {
        let live = try marked("live")
        let replacement = try marked("replacement")
        let lock = try StackLock.take(live, for: "test", atMost: 5)
        let session = try lock.databases.connect()
        let before = try session.rows("select current_setting('lock_timeout')")
        // Behind the first rename, whose name is free.
        let admin = try Connection(server.superuser)
        try admin.execute("alter database \(identifier: replacement.database) owner to postgres")
        let names = (live.database, replacement.database)
        #expect(throws: PostgresError.self) {
            try lock.databases.swap(live: names.0, replacement: names.1, keepingOldAs: names.0 + "_old")
        }
        #expect(try session.rows("select current_setting('lock_timeout')") == before)
        try admin.execute("alter database \(identifier: replacement.database) owner to mlflow_user")
        try lock.databases.swap(live: names.0, replacement: names.1, keepingOldAs: names.0 + "_old")
        #expect(try session.rows("select current_setting('lock_timeout')") == before)
    }

    @Test("without a live database only gives the replacement its name")
    func firstRestore() throws {
        let replacement = try marked("replacement")
        let live = "first \"restore\" 恢复"
        try databases.swap(live: live, replacement: replacement.database, keepingOldAs: "kept")
        #expect(try mark(in: live) == "replacement")
        #expect(try !databases.exists("kept"))
        try databases.drop(live)
        #expect(try !databases.exists(live))
        try databases.drop(live)
    }
}

private final class Seen: Sendable {
    let old = Atomic<Int>(0)
    let new = Atomic<Int>(0)

    func count(_ mark: String?) {
        if mark == "new" {
            new.wrappingAdd(1, ordering: .relaxed)
        } else {
            old.wrappingAdd(1, ordering: .relaxed)
        }
    }
}

private func sleepBriefly() { _ = Monitor(()).wait(atMost: 0.01) { _ in nil as Void? } }
