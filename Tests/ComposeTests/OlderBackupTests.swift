// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

extension ComposeTests {
    @Test func aBackupOfAnOlderSchemaIsUpgradedInMLflowsContainerBeforeItIsPutInPlace() throws {
        try stack.up()
        try stack.log(runs: 2, mebibytes: 1)
        let psql =
            "docker exec mlflow-postgres psql -U mlflow_user -d mlflow -XAtc 'select version_num from alembic_version'"
        let head = try stack.run(psql)
        let before = try stack.digest()
        let script = FilePath(String(#filePath)).parent.parent.appending("StackTests/downgrade_database.py")
        try stack.run(
            """
            docker exec -i mlflow-server bash -c 'source /usr/local/lib/mlflow-backend-store-uri.sh
            use_backend_store /dev/shm/downgrade && python3 - "$MLFLOW_BACKEND_STORE_URI"; rm -f /dev/shm/downgrade' <'\(script)'
            """)
        #expect(try stack.run(psql) != head)
        let known = Set(try stack.backupNames())
        try stack.run("docker exec mlflow-backup-service /app/backup_services/backup_mlflow.sh")
        // The service lists what it saw last, some seconds ago at most.
        var made: String?
        try stack.wait("the backup is listed", seconds: 60) {
            made = try stack.backupNames().first { !known.contains($0) }
            return made != nil
        }
        let name = try #require(made)
        try stack.run("docker exec mlflow-server mlflow-db-upgrade")
        #expect(try stack.run(psql) == head)
        try stack.log(runs: 1, mebibytes: 1)
        try stack.run("docker exec mlflow-backup-service /app/backup_services/restore_mlflow_backup.sh --force \(name)")
        #expect(try stack.run(psql) == head)
        #expect(try stack.digest() == before)
    }
}
