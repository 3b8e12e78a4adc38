// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

extension LiveStackFixture {
    /// Real MLflow makes the tables anew, and a script in Python fills them: its first argument is the database's URI.
    func fillByMLflow(_ script: String, _ arguments: String...) throws {
        let python = ProcessInfo.processInfo.environment["MLFLOW_TEST_PYTHON"] ?? ""
        try #require(!python.isEmpty, "MLFLOW_TEST_PYTHON is not set: run scripts/test")
        let connection = try Connection(database)
        for table in [
            "alembic_version", "latest_metrics", "metrics", "runs", "experiments", "registered_models",
        ] { try connection.execute("drop table \(identifier: table)") }
        let password = PercentText.encoded(Array(database.password.revealed.utf8))
        let uri =
            "postgresql+psycopg://\(database.user):\(password)@\(database.host):\(database.port)/\(database.database)"
        try Shell.run(FilePath(python), ["-c", script, uri] + arguments)
    }
}
