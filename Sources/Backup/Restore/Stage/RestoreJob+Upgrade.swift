// SPDX-License-Identifier: Apache-2.0

import Glibc
import MLflowStore
import Postgres
import SystemIO
import Wording

extension RestoreJob {
    /// Brings a database that was loaded from an older MLflow's backup to the schema of the live one, before anything is compared with
    /// it: what is swapped in is what the server expects. The program is MLflow's own, by way of `DATABASE_UPGRADE_PROGRAM`.
    /// - Parameter target: beside the live one, with the settings of that.
    /// - Throws: `BackupError.upgradeFailed`, also where it ended well and the schema is another one still; `CancelledError`. The
    ///   database is then good only for dropping.
    func upgradeSchema(_ target: ConnectionSettings, _ manifest: Manifest, backup: String) throws {
        guard let upgrade = options.upgrade,
            let live = try schemaCheck(for: upgrade).revisionToReach(from: manifest)
        else { return }
        let stored = manifest.mlflow.alembicRevision ?? ""
        progress(Progress(.loading, fraction: 0.8, detail: "mlflow db upgrade: \(stored) → \(live)"))
        let start = MonotonicTime.nanoseconds()
        let ended = try DatabaseProgram(upgrade.program, passedOn: ["DOCKER_HOST", "MLFLOW_CONTAINER"]).run(
            on: target, by: try wayToTables(target), cancellation: cancellation)
        func failed(_ reason: BilingualText) -> BackupError {
            .upgradeFailed(
                backup: backup, revision: stored, live: live, program: upgrade.program.string, reason: reason,
                lastLines: ended.lastLines)
        }
        guard ended.exit == .code(0) else {
            throw failed(.init(zh: "\(ended.exit)", en: "\(ended.exit)"))
        }
        let reached = try StoreSurvey.revision(of: target) ?? "–"
        guard reached == live else {
            throw failed(
                BilingualText(zh: "升级后的结构版本是 \(reached)", en: "the schema is \(reached) after it"))
        }
        if let refusal = try Connection(target).analyze() {
            log.warning("no statistics of the upgraded database", ["reason": refusal.bilingual.english])
        }
        let seconds = (MonotonicTime.seconds(since: start) * 10).rounded() / 10
        log.info("database upgraded", ["name": backup, "from": stored, "to": live, "seconds": seconds])
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

extension RestoreJob.Options {
    /// What brings a restored database of an older MLflow to the live one's schema.
    package struct Upgrade: Sendable, Equatable {
        /// `DATABASE_UPGRADE_PROGRAM`.
        package var program: FilePath

        package init(program: FilePath) { self.program = program }

        /// - Throws: `SystemError`.
        func checkThere() throws(SystemError) {
            if program.withCString({ access($0, X_OK) }) != 0 { throw SystemError("run", path: program.string) }
        }
    }
}
