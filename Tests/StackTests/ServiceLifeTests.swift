// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

/// The service over its life: token, downloads, kills, restarts, and a database that is away.
@Suite(.serialized, .aheadBesideThePool) struct ServiceLifeTests {
    @Test func aDownloadCanBeResumedAndIsTheFile() throws {
        let stack = try TestStack("download")
        let name = try stack.backup()
        let url = "\(stack.backupURL)/backups/\(name)/download"
        let stored = try OpenFile(stack.backups.appending(name), .read).readAll()
        let whole = try Curl.get(url)
        #expect(whole.body == stored)
        #expect(whole.headers["content-length"] == "\(stored.count)")
        let listed = try #require(try Curl.get("\(stack.backupURL)/backups").array().first)
        let tag = "\"\(try #require(listed["sha256"] as? String))\""
        #expect(whole.headers["etag"] == tag)
        let digest = try Shell.sh("sha256sum < \(stack.backups.appending(name))")
        #expect("\"\(digest.prefix(64))\"" == tag, "the tag is the file's SHA-256")

        let tail = try Curl.get(url, "-H", "Range: bytes=1000-", "-H", "If-Range: \(tag)")
        #expect(tail.status == 206)
        #expect(tail.body == Array(stored[1000...]))
        let changed = try Curl.get(url, "-H", "Range: bytes=1000-", "-H", "If-Range: \"another\"")
        #expect(changed.status == 200)
        #expect(try Curl.get(url, "-H", "If-None-Match: \(tag)").status == 304)
        #expect(try Curl.get(url, "-H", "Range: bytes=\(stored.count)-").status == 416)

        let folder = try stack.backup("{\"compress\": false}")
        #expect(!folder.hasSuffix(".tar.gz"))
        let uncompressed = try #require(try Curl.get("\(stack.backupURL)/backups").array().first)
        #expect(uncompressed["type"] as? String == "uncompressed")
        #expect(try Curl.get("\(stack.backupURL)/backups/\(folder)/download").status == 409)
    }

    @Test func withATokenNothingButHealthAndTheDocumentationIsOpen() throws {
        let folder = try TemporaryFolder("token")
        let token = try folder.write("token", "a-long-and-secret-token\n", mode: 0o600)
        let stack = try TestStack("token", settings: ["API_TOKEN_FILE=\(token)"])
        for path in ["/backups", "/tasks", "/stats"] {
            let answer = try Curl.get("\(stack.backupURL)\(path)")
            #expect(answer.status == 401)
            #expect(answer.headers["www-authenticate"] == "Bearer")
            #expect(try Curl.get("\(stack.backupURL)\(path)", "-H", "Authorization: Bearer wrong").status == 401)
            let right = "Authorization: Bearer a-long-and-secret-token"
            #expect(try Curl.get("\(stack.backupURL)\(path)", "-H", right).status == 200)
        }
        for path in ["/health", "/docs", "/openapi.json"] {
            #expect(try Curl.get("\(stack.backupURL)\(path)").status == 200)
        }
        // S17: without it the service says whether it is well, and nothing of where its data is.
        let plain = try Curl.get("\(stack.backupURL)/health").object()
        #expect(plain.keys.sorted() == ["status"], "\(plain)")
        let whole = try Curl.get(
            "\(stack.backupURL)/health", "-H", "Authorization: Bearer a-long-and-secret-token"
        ).object()
        #expect(whole["checks"] != nil && whole["age_seconds"] != nil, "\(whole)")
        let log = String(
            decoding: try OpenFile(stack.data.appending("logs/backup.log"), .read).readAll(), as: UTF8.self)
        #expect(!log.contains("a-long-and-secret"))
    }

    @Test func aServiceKilledInMidTaskSaysSoAndWorksOnAfterARestart() throws {
        let stack = try TestStack("killed")
        try stack.logDemo()
        let good = try stack.backup()
        // Enough random bytes for the backup to take a while.
        try Shell.sh("mkdir -p \(stack.artifacts)/9 && head -c 400000000 /dev/urandom > \(stack.artifacts)/9/big")
        let accepted = try Curl.post("\(stack.backupURL)/backups", "{}")
        let task = try accepted.string("task_id")
        let staging = stack.backups.appending(".mlflow-backup/staging")
        try Patience.wait("some of the archive to be written", atMost: 120) {
            try #require(Int(Shell.sh("du -sm '\(staging)' | cut -f1").dropLast())) >= 20
        }
        kill(try servicePid(stack), SIGKILL)
        #expect(try Directory.names(in: staging).isEmpty == false, "it was killed in the midst of the backup")
        try stack.up()

        let record = try stack.finished(task)
        #expect(record["status"] as? String == "failed", "\(record)")
        #expect(
            try Curl.get("\(stack.backupURL)/tasks/\(task)", "-H", "Accept-Language: en").string("message").contains(
                "stopped"))
        let names = try Curl.get("\(stack.backupURL)/backups").array().compactMap { $0["name"] as? String }
        #expect(names == [good], "no partial is listed")
        let next = try stack.backup()
        let left = try Directory.names(in: stack.backups).map { String(decoding: $0, as: UTF8.self) }
        #expect(Set(left) == [".mlflow-backup", good, good + ".json", next, next + ".json"])
        #expect(try Directory.names(in: staging).isEmpty)
    }

    @Test func aGracefulStopLetsTheRunningTaskEndAndMarksTheWaitingOneFailed() throws {
        let stack = try TestStack("graceful")
        // The running task waits for the folder, which somebody else holds until the service is stopping.
        var held: OperationLock? = try OperationLock.take(
            in: BackupFolder(stack.backups), for: "a test", atMost: 30)
        let task = try Curl.post("\(stack.backupURL)/backups", "{}").string("task_id")
        let waiting = try Curl.post("\(stack.backupURL)/backups", "{}").string("task_id")
        try Patience.wait("the first to run") {
            try Curl.get("\(stack.backupURL)/tasks/\(task)").string("status") == "running"
        }
        #expect(try Curl.get("\(stack.backupURL)/tasks/\(waiting)").string("status") == "pending")
        let pid = try servicePid(stack)
        kill(pid, SIGTERM)
        try Patience.wait("the door to be shut") {
            try Shell.sh("curl -s -o /dev/null -m 5 '\(stack.backupURL)/health' || echo shut") == "shut\n"
        }
        #expect(kill(pid, 0) == 0, "a stop waits for the running task")
        withExtendedLifetime(held) {}
        held = nil
        try Patience.wait("the service to end", atMost: 60) { kill(pid, 0) != 0 }
        try stack.up()
        #expect(try stack.finished(task)["status"] as? String == "completed")
        let failed = try stack.finished(waiting)
        #expect(failed["status"] as? String == "failed")
        #expect((failed["error"] as? [String: Any])?["code"] as? String == "stopping", "\(failed)")
        #expect(try Curl.get("\(stack.backupURL)/backups").array().count == 1)
    }

    @Test func withPostgreSQLDownHealthIs503AndABackupIsRefusedWithTheReason() throws {
        let stack = try TestStack("down")
        let healthy = try Curl.get("\(stack.backupURL)/health")
        #expect(healthy.status == 200)
        #expect(try healthy.string("status") == "healthy")
        let checks = try #require(try healthy.object()["checks"] as? [String: Bool])
        for name in ["backup_directory", "backup_script", "restore_script", "docker"] { #expect(checks[name] != nil) }

        let pid = String(
            decoding: try OpenFile(stack.data.appending("postgres/postmaster.pid"), .read).readAll(), as: UTF8.self)
        kill(try #require(pid_t(pid.split(separator: "\n")[0])), SIGQUIT)
        try Patience.wait("health to see that the server is down", atMost: 30) {
            try Curl.get("\(stack.backupURL)/health").status == 503
        }
        let health = try Curl.get("\(stack.backupURL)/health", "-H", "Accept-Language: en")
        #expect(try health.string("status") == "unhealthy")
        #expect((try health.object()["checks"] as? [String: Bool])?["database"] == false)
        let refused = try Curl.post("\(stack.backupURL)/backups", "{}", "-H", "Accept-Language: en")
        #expect(refused.status == 503, "\(refused.text)")
        #expect(try refused.string("detail").contains("\(stack.postgresPort)"))
        let cli = try stack.command(["backup", "--lang", "en"])
        #expect(cli.exit == .code(1))
        #expect(try Curl.get("\(stack.backupURL)/backups").array().isEmpty)
        try stack.up()
        try Patience.wait("health to see that it is up", atMost: 30) {
            try Curl.get("\(stack.backupURL)/health").status == 200
        }
    }

    @Test func missingArtifactsAreNeverAnEmptyBackup() throws {
        let stack = try TestStack("no-artifacts")
        try Directory.removeTree(stack.artifacts)
        let refused = try Curl.post("\(stack.backupURL)/backups", "{}", "-H", "Accept-Language: en")
        #expect(refused.status == 503)
        #expect(try refused.string("detail").contains("ARTIFACTS_DIR"))
        #expect(try Curl.get("\(stack.backupURL)/backups").array().isEmpty)
    }

    private func servicePid(_ stack: TestStack) throws -> pid_t {
        let text = String(
            decoding: try OpenFile(stack.data.appending("run/backup.pid"), .read).readAll(), as: UTF8.self)
        return try #require(pid_t(text.prefix { $0.isNumber }))
    }
}
