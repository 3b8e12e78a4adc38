// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("MLflow's tables in another schema than public", .besideThePool, .onEachPostgres)
struct OtherSchemaTests {
    /// What makes MLflow find them.
    enum Lead: CaseIterable {
        case role, database, both
        /// `?options=-csearch_path=…`: nothing of it is in the server.
        case address
    }

    private func live(_ lead: Lead, schema: String = "m l") throws -> LiveStackFixture {
        let live = try LiveStackFixture("other_schema", schema: schema)
        try self.lead(lead, to: schema, in: live)
        return live
    }

    private func lead(_ lead: Lead, to schema: String, in live: LiveStackFixture) throws {
        let (role, database) = (live.database.user, live.database.database)
        var statements: [SQL] = []
        if lead == .role || lead == .both {
            statements += [
                "alter role \(identifier: role) in database \(identifier: database) set search_path to \(identifier: schema), public"
            ]
        }
        if lead == .database || lead == .both {
            // What is set for the role counts more.
            let other = lead == .both ? "public" : schema
            statements += ["alter database \(identifier: database) set search_path to \(identifier: other)"]
        }
        try live.server.asSuperuser(in: live.database, statements)
    }

    /// Another program's, which has revisions of its own.
    private func shareWithAnother(_ live: LiveStackFixture) throws {
        let session = try Connection(live.database)
        try session.execute("create table public.alembic_version (version_num varchar(32) primary key)")
        try session.execute("insert into public.alembic_version values ('of another program')")
        try session.execute("create table public.runs (id int primary key)")
        try session.execute("insert into public.runs values (1)")
    }

    private func findings(_ live: LiveStackFixture) -> Findings {
        BackupPreflight(live.workspace(), options: .init()).run()
    }

    @Test(
        "are backed up, compared, restored and taken back, beside another program's in public",
        arguments: [Lead.both, .address]
    )
    func roundTrip(_ lead: Lead) throws {
        let live = try live(lead)
        try shareWithAnother(live)
        let session = try live.session()
        try session.execute("alter table experiments add artifact_location text")
        try session.execute("update experiments set artifact_location = 's3://bucket/mlflow/1' where experiment_id = 1")
        #expect(findings(live).obstacles.isEmpty, "\(findings(live).obstacles)")
        let (rows, files) = (try live.rows(), try live.files())
        let made = try live.backup()
        #expect(made.manifest.database.schema == "m l" && made.manifest.mlflow.alembicRevision == "dc11669786a5")
        #expect(made.manifest.summary.runs == 20 && made.manifest.summary.experiments == 2)
        #expect(made.manifest.database.newest["\"m l\".runs.start_time"] == 1_790_000_000_020)
        #expect(made.warnings.contains { $0.english.contains("s3://bucket") }, "\(made.warnings)")

        try live.add(runs: 21...21)
        let newer = try live.rows()
        let refused = #expect(throws: BackupError.self) { try live.restore(made.name.string) }
        #expect(refused?.errorCode == "newer-data" && refused?.explanation.english.contains("\"m l\".runs") == true)
        try live.restore(made.name.string, force: true)
        #expect(try live.rows() == rows && live.files() == files)
        #expect(try Connection(live.database).rows("select from public.runs").count == 1)
        try live.undo()
        #expect(try live.rows() == newer)
        try live.expectNothingLeftBehind()
    }

    @Test("of another revision are refused as those in public are")
    func revision() throws {
        let live = try live(.database)
        let made = try live.backup()
        try live.session().execute("update alembic_version set version_num = '451aebb31d03'")
        let error = #expect(throws: BackupError.self) { try live.restore(made.name.string, force: true) }
        #expect(error?.errorCode == "schema-newer", "\(String(describing: error))")
    }

    @Test(
        "come back where the database is gone, and what leads there is said where it went with it",
        arguments: Lead.allCases)
    func newMachine(_ lead: Lead) throws {
        let live = try live(lead, schema: "mlflow")
        let rows = try live.rows()
        let made = try live.backup()
        try Databases(live.database).drop(live.database.database)
        let told = try live.restore(made.name.string).warnings.filter { $0.english.contains("search_path") }
        #expect(try live.rows() == rows)
        #expect(told.count == 1, "\(told)")
        let statement = "ALTER DATABASE \"\(live.database.database)\" SET search_path TO \"mlflow\""
        #expect(told.allSatisfy { $0.english.contains(statement) && $0.chinese.contains(statement) })
        // Where one is led to them nothing is said.
        try self.lead(.role, to: "mlflow", in: live)
        #expect(try !live.restore(made.name.string).warnings.contains { $0.english.contains("search_path") })
    }

    @Test("and in others, too: what the role or the database sets counts, or a person says which they are")
    func several() throws {
        let live = try LiveStackFixture("several_schemas", schema: "mlflow")
        let session = try Connection(live.database)
        func copy(to schema: String) throws {
            try session.execute("create schema if not exists \(identifier: schema)")
            for table in ["alembic_version", "experiments", "runs", "metrics"] {
                try session.execute(
                    "create table \(identifier: QualifiedTable(schema: schema, name: table)) as select * from \(identifier: QualifiedTable(schema: "mlflow", name: table))"
                )
            }
        }
        func found(_ wanted: String? = nil) throws -> String? {
            let database = live.database
            return try StoreSchema(
                on: Connection(
                    ConnectionSettings(
                        host: database.host, port: database.port, user: database.user, password: database.password,
                        database: database.database, schema: wanted))
            ).name
        }
        #expect(try found() == "mlflow")
        try copy(to: "former")
        #expect(try found() == nil)
        let refusal = BackupError.databaseEmpty(name: live.database.database, schemas: ["former", "mlflow"])
        #expect(throws: refusal) { try live.backup() }
        #expect(refusal.explanation.english.contains("POSTGRES_SCHEMA"))
        #expect(findings(live).obstacles.map(\.stableCode) == ["database-empty"])
        #expect(try found("mlflow") == "mlflow" && found("former") == "former" && found("none") == nil)
        // As of a server that nobody told anything.
        try copy(to: live.database.user)
        #expect(try found() == live.database.user)
        try lead(.role, to: "former", in: live)
        #expect(try found() == "former")
        #expect(try live.backup().manifest.database.schema == "former")
    }
}
