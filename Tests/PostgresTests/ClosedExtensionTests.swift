// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import Postgres

@Suite("An extension that cannot be made where a dump is restored", .onEachPostgres)
struct ClosedExtensionTests {
    let server: TemporaryPostgres
    let tools: PostgresTools

    init() throws {
        server = try TemporaryPostgres.shared
        tools = PostgresTools(binDirectory: server.binDirectory)
    }

    private func admin(_ database: ConnectionSettings, _ statements: SQL...) throws {
        // For what else the script of an extension does, or the removal of a package.
        try server.asSuperuser(in: database, ["set allow_system_table_mods = on"] + statements)
    }

    /// What a restore into a new database tells.
    private func restore(_ source: ConnectionSettings, _ name: String) throws -> [BeyondRestore] {
        let folder = try TemporaryFolder("closed_extension")
        let dump = folder.path.appending("dump")
        try tools.dump(source, into: dump)
        let target = source.naming(database: "\(source.database)_\(name)")
        try Databases(source).create(target.database, like: source.database)
        return try tools.restore(from: dump, into: target, dumper: source.user, jobs: 1)
    }

    private func ground(_ database: ConnectionSettings) throws -> DatabaseGround {
        let session = try Connection(database)
        defer { session.close() }
        return try DatabaseGround(on: session)
    }

    @Test(
        "takes what was put into its tables with it: that is said before and after, and not that no rows are lost",
        .ofContrib)
    func rows() throws {
        let database = try server.freshDatabase("extension_rows")
        try admin(
            database, "create extension dblink", "create table \"the cache\" (id int, long text)",
            "insert into \"the cache\" values (7)", "grant select on \"the cache\" to mlflow_user",
            "alter extension dblink add table \"the cache\"",
            """
            update pg_extension set extconfig = array['"the cache"'::regclass::oid], extcondition = array['']
            where extname = 'dblink'
            """)
        let lost = BeyondRestore(kind: "rows of table", name: "public.\"the cache\"", fate: .rowsLost)
        let beyond = try ground(database).beyondRestore
        #expect(beyond.contains(lost))
        #expect(!beyond.contains { $0.name.contains("pg_toast") }, "\(beyond)")
        let notices = BeyondRestore.notices(beyond, role: "mlflow_user").map(\.english).joined(separator: "\n")
        #expect(notices.contains("rows of table public.\"the cache\"") && !notices.contains("No rows are lost"))
        let told = try restore(database, "full")
        #expect(told.contains(lost))
        #expect(BeyondRestore.afterwards(told)[0].english.contains("All other rows are there"))

        try admin(database, "delete from \"the cache\"")
        let empty = try restore(database, "empty")
        #expect(empty.map(\.description) == ["extension dblink"])
        #expect(BeyondRestore.afterwards(empty)[0].english.contains("All rows are there"))
    }

    @Test(
        "since this server has it not is named to a superuser, too, at backup and where tables depend on it", .ofContrib
    )
    func notInstalled() throws {
        let database = try server.freshDatabase("extension_gone")
        let superuser = server.superuser.naming(database: database.database)
        try admin(
            database, "create extension citext", "create table tags (t citext)",
            "grant select, update on tags to mlflow_user",
            "create view seen as select 'a'::citext as t",
            "update pg_extension set extname = 'not_installed' where extname = 'citext'")
        let expected = ["extension not_installed", "table public.tags", "view public.seen"]
        for role in [database, superuser] {
            let beyond = try ground(role).beyondRestore.filter { $0.fate == .unavailable }
            #expect(beyond.map(\.description) == expected)
            #expect(BeyondRestore.notices(beyond, role: role.user)[0].english.contains("Install it"))
            let error = #expect(throws: PostgresError.self) { try restore(role, "with_table_\(role.user)") }
            guard case .extensionsUnavailable(let extensions, ["public.tags"])? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(extensions.count == 1 && extensions[0].hasPrefix("not_installed ("), "\(extensions)")
            #expect(error?.explanation.english.contains("superuser") == false)
        }
        try admin(database, "drop table tags")
        let told = try restore(superuser, "without_table")
        #expect(told.map(\.description) == ["extension not_installed", "view public.seen"])
        #expect(told.allSatisfy { $0.fate == .unavailable } && told[0].reason?.contains("not_installed") == true)
    }
}
