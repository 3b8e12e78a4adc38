// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import Wording

extension RestoreJob {
    /// What a database's settings said of where MLflow's tables are is in no dump: it went with a live database that is gone.
    /// - Parameters:
    ///   - restored: what is to become live.
    ///   - live: its name then.
    /// - Returns: what to run, where nothing in the server leads there; none where there is a live database, whose settings were copied.
    func wayToSchema(
        _ restored: ConnectionSettings, _ manifest: Manifest, _ hold: Hold, of live: String
    ) throws -> [BilingualText] {
        guard let schema = manifest.database.schema, schema != StoreSchema.usual,
            try !hold.databases.exists(live), try !Connection(restored).usualSearchPath().contains(schema)
        else { return [] }
        let statement = "ALTER DATABASE \(live.asQuotedIdentifier) SET search_path TO \(schema.asQuotedIdentifier)"
        return [
            BilingualText(
                zh: "MLflow 的表在模式 \(schema) 中，而恢复后的数据库没有指向它的 search_path（原来的随数据库一起消失了）。若 MLflow 的 URI 中也没有，请执行 "
                    + "\(statement);",
                en:
                    "MLflow's tables are in the schema \(schema), and no search_path of the restored database leads there (what there was went "
                    + "with the database). Unless MLflow's URI has one, run \(statement);")
        ]
    }
}
