// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// What the containers may not do, and what they do where something is refused.
extension ComposeTests {
    private static let names = ["mlflow-secrets", "mlflow-postgres", "mlflow-server", "mlflow-backup-service"]

    @Test func everyContainerHasAReadOnlyRootAndBounds() throws {
        try stack.up()
        for name in Self.names {
            let shown = try stack.run(
                "docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.SecurityOpt}} {{gt .HostConfig.Memory 0}} {{.HostConfig.PidsLimit}}' \(name)"
            )
            #expect(shown.hasPrefix("true [no-new-privileges:true] true "), "\(name): \(shown)")
            #expect(Int(shown.split(separator: " ").last ?? "") ?? 0 > 0, "\(name): \(shown)")
        }
        let written = try stack.bash("docker exec mlflow-backup-service touch /app/written")
        #expect(written.exit != 0 && written.text.contains("Read-only"))
        try stack.up(["TZ": "Asia/Tokyo"])
        #expect(try stack.run("docker exec mlflow-backup-service env -u TZ date +%z") == "+0900")
        // The log's rotation has its place, too.
        try stack.run(
            "docker exec mlflow-backup-service sh -c 'seq 300000 >>/var/log/cron/backup.log && /usr/sbin/logrotate --state /var/log/cron/.rotated /app/logrotate.conf && ls /var/log/cron/backup.log.1.gz'"
        )
        try stack.up()
    }

    /// Larger than the memory that MLflow may have of its own: what passes through it lies on the disk.
    @Test func anUploadLargerThanMLflowsMemoryArrives() throws {
        try stack.up(["MLFLOW_MEMORY": "600m"])
        let upload =
            "docker exec mlflow-server sh -c 'head -c 700M /dev/zero | curl -fsS -T - http://localhost:5000/api/2.0/mlflow-artifacts/artifacts/0/large 2>&1 "
            + "|| python3 -c \"import urllib.request as r; f = open(\\\"/dev/zero\\\", \\\"rb\\\"); chunk = bytes(1 << 20); "
            + "r.urlopen(r.Request(\\\"http://localhost:5000/api/2.0/mlflow-artifacts/artifacts/0/large\\\", data=(chunk for _ in range(700)), method=\\\"PUT\\\"))\"'"
        try stack.run(upload)
        #expect(try stack.run("docker exec mlflow-server stat -c %s /mlflow/artifacts/0/large") == "\(700 << 20)")
        try stack.run("docker exec mlflow-server rm /mlflow/artifacts/0/large")
        try stack.up()
    }

    @Test func healthChecksFillNoLog() throws {
        try stack.up()
        func lines(_ name: String) throws -> Int {
            Int(try stack.run("docker logs \(name) 2>&1 | wc -l")) ?? 0
        }
        let before = try Self.names.map { try lines($0) }
        for _ in 0..<20 {
            try stack.run(
                "docker exec mlflow-server python3 -c \"import urllib.request as r; r.urlopen('http://localhost:5000/health', timeout=5)\""
            )
            try stack.run("docker exec mlflow-backup-service /app/bin/healthcheck")
        }
        let more = zip(try Self.names.map { try lines($0) }, before).map { $0.0 - $0.1 }
        // The service has one line a minute of whatever was asked.
        #expect(more.allSatisfy { $0 <= 3 }, "\(more)")
        // What a person asks is there.
        try stack.run("curl -fsS 'http://localhost:3111/version?asked-by-a-person'")
        #expect(try stack.run("docker logs --tail 5 mlflow-server 2>&1").contains("asked-by-a-person"))
    }

    /// Before, the container ended, and cron with it, and Docker started it for ever.
    @Test func aRefusedAPIEndsNoBackups() throws {
        try stack.up(["BACKUP_SCHEDULE": "* * * * *"])
        try stack.run("docker-compose up -d", ["BACKUP_SCHEDULE": "* * * * *", "BIND_ADDRESS": "0.0.0.0"])
        let known = Set(try stack.run("docker exec mlflow-backup-service ls /backup/mlflow").split(separator: "\n"))
        try stack.wait("the reason is the container's health", seconds: 60) {
            let answer = try stack.bash("docker exec mlflow-backup-service /app/bin/healthcheck")
            return answer.exit == 1 && answer.text.contains("API_TOKEN") && answer.text.contains("定时备份照常进行")
        }
        #expect(try stack.run("docker logs mlflow-backup-service 2>&1").contains("API_TOKEN"))
        #expect(try stack.bash("curl -sS -m 5 http://localhost:3112/health").exit != 0)
        try stack.wait("cron has made a backup", seconds: 150) {
            let now = Set(try stack.run("docker exec mlflow-backup-service ls /backup/mlflow").split(separator: "\n"))
            return now.subtracting(known).contains { $0.hasSuffix(".tar.gz") }
        }
        #expect(
            try stack.run("docker inspect -f '{{.RestartCount}} {{.State.Running}}' mlflow-backup-service") == "0 true")
        try stack.up()
    }

    /// D8. The volume has a name of its own.
    @Test func anUnwritableVolumeIsNamedAsItIsMounted() throws {
        try stack.up()
        // With a file: an empty one Docker gives to whom the image's folder belongs.
        try stack.run("docker volume create foreign_files")
        defer { _ = try? stack.bash("docker volume rm foreign_files; rm -rf foreign-folder") }
        let start = "docker run --rm --network none -v mlflow_secrets_data:/run/mlflow-secrets:ro"
        try stack.run(
            "docker run --rm --user 0 -v foreign_files:/a --entrypoint sh mlflow-backup:local -c 'touch /a/file && chown -R 4242:4242 /a'"
        )
        for image in ["mlflow-backup:local", "mlflow-server:local"] {
            let refused = try stack.bash("\(start) -v foreign_files:/mlflow/artifacts \(image)", timeout: 60)
            #expect(refused.text.contains("-v foreign_files:/a "), "\(refused.text)")
            #expect(!refused.text.contains("mlflow_artifacts_data"))
        }
        let command = try #require(
            try stack.bash("\(start) -v foreign_files:/mlflow/artifacts mlflow-backup:local", timeout: 60).text
                .components(separatedBy: "Run: ").last)
        try stack.run(command)
        #expect(
            try stack.run("docker run --rm -v foreign_files:/a --entrypoint stat mlflow-backup:local -c %u /a")
                == "3110")
        // A folder of the host has no volume's name.
        let folder = try stack.bash(
            "mkdir -p foreign-folder && chown 4242:4242 foreign-folder && \(start) -v $PWD/foreign-folder:/mlflow/artifacts mlflow-backup:local",
            timeout: 60)
        #expect(folder.text.contains("--volumes-from"), "\(folder.text)")
        let nothing = try stack.bash(
            "\(start) --read-only --tmpfs /run --tmpfs /var/log/cron mlflow-backup:local", timeout: 60)
        #expect(
            nothing.text.contains("no volume is mounted there") && !nothing.text.contains("chown"), "\(nothing.text)")
    }
}
