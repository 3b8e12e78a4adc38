// SPDX-License-Identifier: Apache-2.0

import Postgres
import Wording

extension BackupPreflight {
    /// What this role may not read, what a restore by it would fail of or leave out, and whether the server has sessions left.
    func checkGround(on session: Connection, _ findings: inout Findings) {
        guard let ground = findings.make(.database, { try DatabaseGround(on: session) }) else { return }
        findings.make(.database) { try ground.requireReadable() }
        findings.make(.database) { try ConnectionRoom(on: session).require(ConnectionRoom.besideJobs + 1) }
        findings.note(.database, BeyondRestore.notices(ground.beyondRestore, role: ground.role))
        guard
            let obstacles = findings.make(.database, { try ground.restoreObstacles(on: session, with: stack.tools) })
        else { return }
        findings.note(
            .database,
            obstacles.map { obstacle in
                BilingualText(zh: "备份可以进行，但恢复会失败：", en: "It can be backed up, but a restore would fail: ")
                    + obstacle.bilingual
            })
    }
}
