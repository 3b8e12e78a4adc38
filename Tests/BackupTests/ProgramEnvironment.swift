// SPDX-License-Identifier: Apache-2.0

import Backup
import Postgres
import SystemIO
import TestSupport

extension LiveStackFixture {
    /// For the program itself on this stack: no MLflow answers, and nothing of this machine's own settings is seen.
    /// - Parameter further: more variables, or other values.
    func environment(_ further: [String: String] = [:]) -> [String: String] {
        [
            "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "BACKUP_LANG": "en", "LOG_SYSLOG": "false",
            "BACKUP_DIR": folder.path.string, "ARTIFACTS_DIR": artifacts.string, "POSTGRES_HOST": database.host,
            "POSTGRES_PORT": "\(database.port)", "POSTGRES_DB": database.database, "POSTGRES_USER": database.user,
            "POSTGRES_PASSWORD": TemporaryPostgres.userPassword, "PG_BIN_DIR": server.binDirectory.string,
            "MLFLOW_URL": "http://127.0.0.1:9",
        ].merging(further) { $1 }
    }
}
