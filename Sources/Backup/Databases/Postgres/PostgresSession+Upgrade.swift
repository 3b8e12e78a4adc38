// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import Wording

extension PostgresSession {
    func run(
        _ program: FilePath, on name: String, log: Log, _ cancellation: Cancellation
    ) throws -> ProgramEnd {
        let target = store.settings.naming(database: name)
        let ended = try DatabaseProgram(program, passedOn: ["DOCKER_HOST", "MLFLOW_CONTAINER"]).run(
            on: target, by: try wayToTables(target), cancellation: cancellation)
        if ended.exit == .code(0), let refusal = try Connection(target).analyze() {
            log.warning("no statistics of the upgraded database", ["reason": refusal.bilingual.english])
        }
        return ProgramEnd(exit: ended.exit, lastLines: ended.lastLines)
    }

    func revision(of name: String) throws -> String? {
        try StoreSurvey.revision(of: store.settings.naming(database: name))
    }

    /// MLflow's URI may say where its tables are, which cannot be seen from here, and its role may be another than ours.
    private func wayToTables(_ target: ConnectionSettings) throws -> DatabaseProgram.Way {
        let session = try Connection(target)
        defer { session.close() }
        let found = try StoreSchema(on: session)
        let schema = found.name ?? StoreSchema.usual
        let table = QualifiedTable(schema: schema, name: "alembic_version").description
        let other = try session.rows(
            """
            select r.rolname::text as owner from pg_catalog.pg_class c join pg_catalog.pg_roles r on r.oid = c.relowner
            where c.oid = pg_catalog.to_regclass(\(table)) and r.rolname <> current_user
            """
        ).first
        let leadsThere = try session.usualSearchPath().first(where: found.all.contains) == schema
        return .init(schema: leadsThere ? nil : schema, role: try other?.string("owner"))
    }
}
