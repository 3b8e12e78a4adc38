// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import TestSupport
import Testing
import Wording

@Suite("What is asked about places", .onEachPostgres)
struct PlaceReadingTests {
    @Test("has one time for all answers, however many there are")
    func oneTime() throws {
        let database = try TemporaryPostgres.shared.freshDatabase("slow_places")
        let session = try Connection(database)
        for statement in [
            "create type slow as (place text)",
            """
            create function slowly(slow) returns text language plpgsql
              as $$ begin perform pg_sleep(0.7); return ($1).place; end $$
            """,
            "create cast (slow as text) with function slowly(slow)", "create table alembic_version (version_num text)",
            "create table experiments (experiment_id int, artifact_location slow)",
            "create table runs (run_uuid text, artifact_uri slow)",
            "create table logged_models (model_id text, artifact_location slow)",
            "insert into experiments values (1, row('s3://one'))", "insert into runs values ('r', row('s3://two'))",
            "insert into logged_models values ('m', row('s3://three'))",
        ] as [SQL] { try session.execute(statement) }
        #expect(throws: Never.self) { try PlaceReading(of: database, atMost: 10) }
        let error = #expect(throws: PostgresError.self) { try PlaceReading(of: database, atMost: 1) }
        #expect(error?.explanation.english.contains("no answer within 1 s") == true)
    }
}
