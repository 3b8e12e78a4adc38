// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

extension Settings {
    /// What a restore of an older MLflow's backup would run cannot be run: that is known before the day of the restore.
    package var upgradeFinding: BilingualText? {
        guard let program = databaseUpgradeProgram, program.withCString({ access($0, X_OK) }) != 0 else { return nil }
        let reason = SystemError("run", path: program.string).bilingual
        return BilingualText(zh: "DATABASE_UPGRADE_PROGRAM：", en: "DATABASE_UPGRADE_PROGRAM: ") + reason
            + BilingualText(
                zh: " 旧版 MLflow 的备份在排除此问题前无法强制恢复。",
                en: " Until then no backup of an older MLflow is restored, also with force.")
    }
}
