// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

extension ComposeTests {
    @Test func aWrongScheduleOrTimeZoneIsSaidAtOnce() throws {
        try stack.up()
        for (setting, words) in [
            ("BACKUP_SCHEDULE=99 2 * * *", "BACKUP_SCHEDULE"), ("TZ=Mars/Olympus", "TZ=Mars/Olympus"),
        ] {
            let answer = try stack.bash("docker-compose run --rm --no-deps -e '\(setting)' mlflow-backup", timeout: 60)
            #expect(answer.exit != 0 && answer.exit != 124, "\(setting): \(answer.exit)")
            #expect(answer.text.contains(words), "\(answer.text)")
        }
    }

    @Test func aPasswordChangedAfterTheFirstStartIsRefusedWithWhatToDo() throws {
        try stack.up()
        try stack.run("cp .env .env.kept && echo POSTGRES_PASSWORD=another >>.env")
        let answer = try stack.bash("docker-compose up -d")
        try stack.run("mv .env.kept .env")
        #expect(answer.exit != 0)
        #expect(try stack.run("docker logs mlflow-secrets").contains("scripts/compose-password"))
        try stack.run("curl -fsS http://localhost:3112/health")
        try stack.up()
    }

    @Test func aDatabaseOfAnotherStackIsMadeOursByOneCommand() throws {
        try stack.up()
        try stack.run(
            "docker exec mlflow-postgres psql -U mlflow_user -d mlflow -c \"ALTER ROLE mlflow_user PASSWORD 'foreign'\""
        )
        try stack.wait("the service says that its database is none", seconds: 60) {
            try stack.run("curl -sS http://localhost:3112/health").contains("\"database\":false")
        }
        let failed = try stack.bash("docker exec mlflow-backup-service /app/backup_services/backup_mlflow.sh")
        #expect(failed.exit == 1, "\(failed.text)")
        try stack.run("scripts/compose-password")
        try stack.run("docker exec mlflow-backup-service /app/backup_services/backup_mlflow.sh")
        try stack.waitUntilHealthy()
    }

    @Test func aDatabaseThatIsDownIsSaidAndTheServiceWaitsForIt() throws {
        try stack.up()
        try stack.run("docker stop mlflow-postgres")
        try stack.run("docker restart mlflow-backup-service")
        try stack.wait("the service says that it is not well", seconds: 60) {
            try stack.bash("curl -sS -o /dev/null -w '%{http_code}' http://localhost:3112/health").text.hasPrefix("503")
        }
        let failed = try stack.bash("docker exec mlflow-backup-service /app/backup_services/backup_mlflow.sh")
        #expect(failed.exit == 1, "\(failed.text)")
        try stack.run("docker start mlflow-postgres")
        try stack.wait("PostgreSQL answers") {
            try stack.bash("docker exec mlflow-postgres pg_isready -U mlflow_user").exit == 0
        }
        try stack.run("docker exec mlflow-backup-service /app/backup_services/backup_mlflow.sh")
        try stack.waitUntilHealthy()
    }

    @Test func aFullBackupVolumeFailsClearlyAndListsNothing() throws {
        try stack.up()
        try stack.log(runs: 1, mebibytes: 40)
        try stack.run(
            "docker volume create --driver local -o type=tmpfs -o device=tmpfs -o o=size=20m,uid=3110,gid=3110 mlflow_full_volume"
        )
        // An empty folder in the place of the one that was used is refused until somebody says that it is meant.
        let full = try stack.bash(
            "docker run --rm --network mlflow_stack -e POSTGRES_HOST=postgres -e POSTGRES_USER=mlflow_user -e POSTGRES_DB=mlflow "
                + "-e POSTGRES_PASSWORD_FILE=/run/mlflow-secrets/postgres_password -v mlflow_secrets_data:/run/mlflow-secrets:ro "
                + "-v mlflow_artifacts_data:/mlflow/artifacts -v mlflow_full_volume:/backup/mlflow mlflow-backup:local "
                + "bash -c 'mlflow-backup claim; /app/backup_services/backup_mlflow.sh; echo exit $?; /app/backup_services/restore_mlflow_backup.sh --list; true'"
        )
        #expect(full.text.contains("exit 7"), "\(full.text)")
        #expect(full.text.contains("没有备份"), "nothing may be listed: \(full.text)")
        try stack.run("docker volume rm mlflow_full_volume")
    }
}
