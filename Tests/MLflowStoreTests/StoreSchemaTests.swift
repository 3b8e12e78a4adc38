// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import TestSupport
import Testing
import Wording

@Suite("A real MLflow whose URI leads to another schema")
struct StoreSchemaTests {
    @Test("is found there, beside what another program has in public, and compared in its own words")
    func found() throws {
        let live = try EditedStores.fresh(started: true, schema: "tracking")
        let session = try Connection(live)
        for statement in [
            "create table public.alembic_version (version_num varchar(32))", "create table public.runs (id int)",
        ] as [SQL] { try session.execute(statement) }
        #expect(try StoreSchema(on: session).name == "tracking")
        let snapshot = try ExportedSnapshot(of: live)
        let survey = try StoreSurvey(snapshot)
        snapshot.release()
        #expect(survey.schema == "tracking" && survey.revision != nil && survey.isUntouched)
        #expect(survey.rows["tracking.experiments"] == 1)

        let restored = try TemporaryPostgres.shared.freshDatabase("restored")
        try EditedStores.copy(live, to: restored, .shared)
        func told() throws -> [String] {
            let comparison = try StoreComparison(live: live, restored: restored)
            defer { comparison.close() }
            return try comparison.first().kept.map(\.text.english)
        }
        #expect(try told() == [])
        try session.execute("update tracking.experiments set name = 'renamed'")
        let texts = try told()
        #expect(texts.count == 1 && texts[0].contains("experiment") && texts[0].contains("renamed"), "\(texts)")
    }
}
