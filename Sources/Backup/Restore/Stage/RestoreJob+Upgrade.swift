// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

extension RestoreJob {
    /// Brings a database that was loaded from an older MLflow's backup to the schema of the live one, before anything is compared with
    /// it: what is swapped in is what the server expects. The program is MLflow's own, by way of `DATABASE_UPGRADE_PROGRAM`.
    /// - Parameter name: of the loaded one.
    /// - Throws: `BackupError.upgradeFailed`, also where it ended well and the schema is another one still; `CancelledError`. The
    ///   database is then good only for dropping.
    func upgradeSchema(_ name: String, _ manifest: Manifest, backup: String, _ hold: Hold) throws {
        guard let upgrade = options.upgrade,
            let live = try schemaCheck(for: upgrade).revisionToReach(from: manifest)
        else { return }
        let stored = manifest.mlflow.alembicRevision ?? ""
        progress(Progress(.loading, fraction: 0.8, detail: "mlflow db upgrade: \(stored) → \(live)"))
        let start = MonotonicTime.nanoseconds()
        let ended = try hold.session.run(upgrade.program, on: name, log: log, cancellation)
        func failed(_ reason: BilingualText) -> BackupError {
            .upgradeFailed(
                backup: backup, revision: stored, live: live, program: upgrade.program.string, reason: reason,
                lastLines: ended.lastLines)
        }
        guard ended.exit == .code(0) else {
            throw failed(.init(zh: "\(ended.exit)", en: "\(ended.exit)"))
        }
        let reached = try hold.session.revision(of: name) ?? "–"
        guard reached == live else {
            throw failed(
                BilingualText(zh: "升级后的结构版本是 \(reached)", en: "the schema is \(reached) after it"))
        }
        let seconds = (MonotonicTime.seconds(since: start) * 10).rounded() / 10
        log.info("database upgraded", ["name": backup, "from": stored, "to": live, "seconds": seconds])
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
