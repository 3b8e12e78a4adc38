// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("A connection", .onEachPostgres)
struct ConnectionTests {
    let server: TemporaryPostgres

    init() throws { server = try TemporaryPostgres.shared }

    @Test("with a password full of special characters is made, and knows the server's version")
    func connects() throws {
        let session = try Connection(server.settings)
        #expect(session.serverVersion >= 150_000)
        let name = try session.rows("select current_database()::text as name").first?.string("name")
        #expect(name == "mlflow")
    }

    @Test("with a wrong password says whose login was refused")
    func wrongPassword() throws {
        let right = server.settings
        let wrong = ConnectionSettings(
            host: right.host, port: right.port, user: right.user, password: Secret("guess"), database: right.database)
        #expect(throws: PostgresError.authenticationFailed(user: "mlflow_user")) { try Connection(wrong) }
        let none = ConnectionSettings(
            host: right.host, port: right.port, user: right.user, password: Secret(""), database: right.database)
        #expect(throws: PostgresError.authenticationFailed(user: "mlflow_user")) { try Connection(none) }
    }

    @Test("when there is no free place is told apart from a server that is down")
    func tooManyConnections() throws {
        let admin = try Connection(server.superuser)
        let role = "role_limited"
        try admin.execute("create role \(identifier: role) login connection limit 0 password 'x'")
        let settings = ConnectionSettings(
            host: "127.0.0.1", port: server.port, user: role, password: Secret("x"), database: "mlflow")
        #expect(throws: PostgresError.tooManyConnections(reason: "too many connections for role \"role_limited\"")) {
            try Connection(settings)
        }
    }

    @Test("to a missing database names it")
    func missingDatabase() throws {
        #expect(throws: PostgresError.databaseMissing(name: "没有: FATAL")) {
            try Connection(server.settings.naming(database: "没有: FATAL"))
        }
    }

    @Test("to a server that is down says where it looked")
    func serverDown() throws {
        let down = ConnectionSettings(
            host: "127.0.0.1", port: 1, user: "mlflow_user", password: Secret("x"), database: "mlflow")
        let error = #expect(throws: PostgresError.self) { try Connection(down) }
        guard case .unreachable("127.0.0.1", 1, let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("Connection refused"))
    }

    @Test("to a port that accepts and never answers ends after its time limit")
    func silentServer() throws {
        let listener = OpenFile(adopting: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), path: "listener")
        let port = try #require(listener.withDescriptor { listenOnLoopback($0) })
        let silent = ConnectionSettings(
            host: "127.0.0.1", port: port, user: "mlflow_user", password: Secret("x"), database: "mlflow")
        #expect(throws: PostgresError.unreachable(host: "127.0.0.1", port: port, reason: "no answer within 0.5 s")) {
            try Connection(silent, connectTimeoutSeconds: 0.5)
        }
    }

    @Test("that an administrator terminates is reported as lost")
    func terminated() throws {
        let session = try Connection(server.settings)
        let pid = try #require(try session.rows("select pg_backend_pid() as pid").first?.int("pid"))
        try Connection(server.superuser).execute("select pg_terminate_backend(\(pid), 5000)")
        let error = #expect(throws: PostgresError.self) { try session.execute("select 1") }
        guard case .connectionLost? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("whose server stops is lost, and the next one finds nobody there")
    func serverStops() throws {
        let doomed = try TemporaryPostgres()
        let snapshot = try ExportedSnapshot(of: doomed.settings)
        doomed.stop()
        let lost = #expect(throws: PostgresError.self) { try snapshot.rowCounts() }
        guard case .connectionLost? = lost else {
            Issue.record("\(String(describing: lost))")
            return
        }
        let absent = #expect(throws: PostgresError.self) { try Connection(doomed.settings) }
        guard case .unreachable("127.0.0.1", doomed.port, _)? = absent else {
            Issue.record("\(String(describing: absent))")
            return
        }
    }

    @Test("to a server whose disk is full says so")
    func diskFull() throws {
        let session = try Connection(server.settings)
        let error = #expect(throws: PostgresError.self) {
            try session.execute(
                "do 'begin raise exception ''could not extend file'' using errcode = ''disk_full''; end'")
        }
        #expect(error == .diskFull(reason: "could not extend file"))
        #expect(error?.explanation[.chinese].contains("释放空间") == true)
    }

    @Test("stops a running statement when it is cancelled")
    func cancelled() throws {
        let session = try Connection(server.settings)
        let cancellation = Cancellation()
        let canceller = try WorkerThread("canceller") {
            usleep(300_000)
            cancellation.cancel()
        }
        #expect(throws: CancelledError.self) {
            try session.rows("select pg_sleep(600)", cancellation: cancellation)
        }
        canceller.join()
        // The session is still good.
        #expect(try session.rows("select 7 as n").first?.int("n") == 7)
    }

    private func listenOnLoopback(_ descriptor: Int32) -> Int? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> Int32 in
                if bind(descriptor, generic, length) != 0 || listen(descriptor, 5) != 0 { return -1 }
                return getsockname(descriptor, generic, &length)
            }
        }
        return code == 0 ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }

    @Test("statistics are made of every table that is not the server's own, whatever its name")
    func statistics() throws {
        let database = try server.freshDatabase("statistics")
        let session = try Connection(database)
        #expect(try session.analyze() == nil)
        for statement: SQL in [
            "create schema \"sch'ema\"", "create table \"sch'ema\".\"Ta, \"\"ble\" as select generate_series(1, 500) n",
            "create materialized view seen as select * from \"sch'ema\".\"Ta, \"\"ble\"",
            "create table parts (n int) partition by list (n)",
            "create table part partition of parts for values in (1)",
            "insert into parts values (1), (1), (1)",
        ] { try session.execute(statement) }
        #expect(try session.analyze() == nil)
        let known = try session.rows(
            """
            select string_agg(relname || ' ' || reltuples, '; ' order by relname) as all from pg_class
            where relkind in ('r', 'm', 'p') and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'pg_toast')
            """)
        #expect(try known[0].string("all") == "Ta, \"ble 500; part 3; parts 3; seen 500")
    }
}
