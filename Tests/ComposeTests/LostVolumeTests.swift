// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// What other containers do to the volumes, and volumes that are gone.
extension ComposeTests {
    private static let backup = "docker exec mlflow-backup-service /app/backup_services/backup_mlflow.sh"
    private static let restore = "docker exec mlflow-backup-service /app/backup_services/restore_mlflow_backup.sh"
    /// As root, with every right, as any container with the volume has.
    private static let asRoot =
        "docker run --rm --user 0 --entrypoint /bin/sh -v mlflow_artifacts_data:/a mlflow-backup:local -c"

    private func health(_ query: String) throws -> String {
        try stack.run("curl -sS 'http://localhost:3112/health?lang=en' -H 'Accept-Language: en' | jq -r '\(query)'")
    }

    @Test func filesOfAnotherUserAmongTheArtifactsNeverStopBackupsAndAreNamedWithTheCommandThatMendsThem() throws {
        try stack.up()
        try stack.log(runs: 2, mebibytes: 1)
        try stack.run(Self.backup)
        let name = try #require(try stack.backupNames().first)
        let before = try stack.digest()
        let experiment = try stack.run(
            "docker exec mlflow-server sh -c 'ls /mlflow/artifacts | grep -E ^[0-9]+$ | head -1'")
        try stack.run(
            "\(Self.asRoot) 'mkdir -p /a/\(experiment)/of-root/deep && echo x >/a/\(experiment)/of-root/deep/file'")
        try stack.log(runs: 1, mebibytes: 1)

        try stack.run("\(Self.restore) --force \(name)")
        #expect(try stack.digest() == before)
        let kept = try stack.run("docker exec mlflow-backup-service mlflow-backup kept --json | jq -r '.[0].id'")
        let refused = try stack.bash("docker exec mlflow-backup-service mlflow-backup forget \(kept) --lang en")
        let command = refused.text.components(separatedBy: "As root run: ").last?.components(separatedBy: " - then")
            .first
        #expect(refused.exit != 0 && command?.contains("chown -h 3110:3110") == true, "\(refused.text)")
        // The work goes on.
        try stack.run(Self.backup)
        try stack.run("docker exec mlflow-backup-service mlflow-backup recover")

        try stack.run("docker exec -i -u root mlflow-backup-service sh <<'END'\n\(command ?? "false")\nEND")
        try stack.run("docker exec mlflow-backup-service mlflow-backup forget \(kept)")
        try stack.waitUntilHealthy()
    }

    @Test func aLostDatabaseVolumeIsToldAndNoBackupGoesForIt() throws {
        try stack.up()
        try stack.log(runs: 3, mebibytes: 1)
        try stack.run(Self.backup)
        let before = try stack.digest()
        let known = Set(try stack.backupNames())
        let name = try #require(try stack.backupNames().first)
        try stack.run("docker-compose down && docker volume rm mlflow_postgres_data")
        try stack.up()
        try stack.wait("the service says that the backups are another's", seconds: 60) {
            try health(".checks.own_backups, .findings").hasPrefix("false")
        }
        for _ in 0..<2 {
            let made = try stack.bash(
                "docker exec mlflow-backup-service mlflow-backup backup --max-backups 1 --lang en")
            #expect(made.exit == 8, "a backup of almost nothing is suspicious: \(made.text)")
        }
        #expect(known.isSubset(of: try stack.backupNames()), "nothing was pushed out")
        try stack.run("\(Self.restore) --force \(name)")
        #expect(try stack.digest() == before)
        try stack.run(Self.backup)
        #expect(known.isSubset(of: try stack.backupNames()))
        try stack.waitUntilHealthy()
    }

    @Test func aLostBackupVolumeIsToldUntilAPersonAcceptsIt() throws {
        try stack.up()
        try stack.run(Self.backup)
        try stack.run("docker-compose down && docker volume rm mlflow_backup_data")
        try stack.run("docker-compose up -d")
        try stack.wait("it says what to do", seconds: 60) {
            try stack.bash("docker logs mlflow-backup-service").text.contains(
                "docker-compose run --rm mlflow-backup mlflow-backup claim")
        }
        #expect(
            try stack.bash("docker inspect -f '{{.State.Health.Status}}' mlflow-backup-service").text != "healthy\n")
        try stack.run("docker-compose run --rm mlflow-backup mlflow-backup claim")
        try stack.up()
        try stack.run(Self.backup)
        try stack.waitUntilHealthy()
    }
}
