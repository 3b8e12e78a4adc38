// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres
import SystemIO
import Wording

extension PostgresSession {
    func load(_ request: LoadRequest, noting note: (UInt32?) throws -> Void) throws -> [BilingualText] {
        let (name, live, manifest) = (request.names.replacement, request.names.live, request.manifest)
        try server.create(name, like: live, owner: manifest.database.role)
        try note(try server.oid(of: name))
        let target = store.settings.naming(database: name)
        let changed = try store.tools.restore(
            from: request.dump, into: target, dumper: manifest.database.role, application: MLflowTables.coreNames,
            standingFor: live, ofAnother: request.isOfAnother,
            jobs: try ConnectionRoom(on: Connection(target), isEnding: true).jobs(atMost: min(request.threads, 4)),
            cancellation: request.cancellation
        ) { [progress = request.progress] step in
            if case .table(let name) = step { progress(Progress(.loading, fraction: 0.7, detail: name)) }
        }
        try compareRows(target, request)
        // pg_restore leaves no planner statistics, and the first queries after a restore would crawl.
        if let refusal = try Connection(target).analyze() {
            request.log.warning("no statistics of the restored database", ["reason": refusal.bilingual.english])
        }
        let warnings =
            try notBroughtBack(changed, request)
            + server.copyProperties(from: live, to: name)
            + wayToSchema(target, manifest, of: live)
        // Settings may make us another role there: what follows, and MLflow, must read it.
        try DatabaseGround(on: Connection(target)).requireReadable(isRestored: true)
        return warnings
    }

    /// What the restore leaves out, and what stays with the database that it puts aside.
    private func notBroughtBack(_ changed: [BeyondRestore], _ request: LoadRequest) throws -> [BilingualText] {
        let live = try server.staysBehind(in: request.names.live)
        // Subscriptions are in no dump of an ordinary role.
        let never = Set(
            live.filter { $0.fate == .never } + changed.filter { $0.fate == .never }
                + (request.manifest.database.beyondRestore ?? []).filter { $0.fate == .never })
        let told =
            BeyondRestore.afterwards(changed.filter { $0.fate != .never })
            + BeyondRestore.notices(
                never.sorted { $0.name < $1.name } + live.filter { $0.fate == .staysBehind },
                role: store.settings.user)
        for text in told { request.log.warning("not brought back", ["what": text.english]) }
        return told
    }

    private func compareRows(_ target: ConnectionSettings, _ request: LoadRequest) throws {
        let snapshot = try ExportedSnapshot(of: target, cancellation: request.cancellation)
        defer { snapshot.release() }
        try request.compare(
            QualifiedTable.byDistinctName(try snapshot.rowCounts(cancellation: request.cancellation)))
    }

    /// What a database's settings said of where MLflow's tables are is in no dump: it went with a live database that is gone.
    /// - Parameters:
    ///   - restored: what is to become live.
    ///   - live: its name then.
    /// - Returns: what to run, where nothing in the server leads there; none where there is a live database, whose settings were copied.
    private func wayToSchema(
        _ restored: ConnectionSettings, _ manifest: Manifest, of live: String
    ) throws -> [BilingualText] {
        guard let schema = manifest.database.schema, schema != StoreSchema.usual,
            try !server.exists(live), try !Connection(restored).usualSearchPath().contains(schema)
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
