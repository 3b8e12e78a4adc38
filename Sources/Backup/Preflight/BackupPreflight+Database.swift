// SPDX-License-Identifier: Apache-2.0

import Postgres
import Wording

extension BackupPreflight {
    /// What this role may not read, what a restore by it would fail of or leave out, and whether the server has sessions left.
    /// - Parameter databases: on a session in the maintenance database, as the job holds one.
    func checkGround(on session: Connection, _ databases: Databases, _ findings: inout Findings) {
        guard let ground = findings.make(.database, { try DatabaseGround(on: session) }) else { return }
        findings.make(.database) { try ground.requireReadable() }
        // What cannot be named cannot be counted.
        findings.make(.database) { try session.ordinaryTables() }
        findings.make(.database) {
            try ConnectionRoom(on: session, isEnding: true).require(ConnectionRoom.besideJobs + 1)
            // Whoever asks often would take MLflow's places there.
            if !isHasty { try session.requirePooled(ConnectionRoom.besideJobs + 1) }
        }
        findings.note(.database, BeyondRestore.notices(ground.beyondRestore, role: ground.role))
        guard
            let obstacles = findings.make(
                .database, { try ground.restoreObstacles(on: session, databases, with: stack.tools) })
        else { return }
        findings.note(
            .database,
            obstacles.map { obstacle in
                BilingualText(zh: "备份可以进行，但恢复会失败：", en: "It can be backed up, but a restore would fail: ")
                    + obstacle.bilingual
            })
    }
}
