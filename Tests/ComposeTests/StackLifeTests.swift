// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

extension ComposeTests {
    private static let backup = "docker exec mlflow-backup-service /app/backup_services/backup_mlflow.sh"
    private static let restore = "docker exec mlflow-backup-service /app/backup_services/restore_mlflow_backup.sh"

    @Test func aRestoreStopsMLflowForTheSwapWhereAskedForAndStartsItAgain() throws {
        try stack.up(["RESTORE_STOPS_MLFLOW": "true"])
        try stack.log(runs: 3, mebibytes: 2)
        try stack.run(Self.backup)
        // By its name: each forced restore makes a backup first, which is then the newest.
        let name = try #require(try stack.backupNames().first)
        let before = try stack.digest()
        let started = try stack.run("docker inspect -f '{{.State.StartedAt}}' mlflow-server")
        try stack.log(runs: 1, mebibytes: 1)
        #expect(try stack.digest() != before)

        let refused = try stack.bash("\(Self.restore) \(name)")
        #expect(refused.exit == 5, "newer data needs --force: \(refused.text)")
        try stack.run("\(Self.restore) --force \(name)")
        #expect(try stack.digest() == before)
        #expect(try stack.run("docker inspect -f '{{.State.StartedAt}}' mlflow-server") != started)
        // As by default, MLflow goes on running, and the undo brings back what the restore replaced.
        try stack.up()
        let undisturbed = try stack.run("docker inspect -f '{{.State.StartedAt}}' mlflow-server")
        try stack.run("docker exec mlflow-backup-service mlflow-backup restore --undo")
        #expect(try stack.digest() != before)
        try stack.run("\(Self.restore) --force \(name)")
        #expect(try stack.digest() == before)
        #expect(try stack.run("docker inspect -f '{{.State.StartedAt}}' mlflow-server") == undisturbed)

        // Without the socket MLflow goes on running, and the data comes back all the same.
        let files = "-f docker-compose.yml -f docker-compose.no-socket.yml"
        try stack.run("docker-compose \(files) up -d")
        try stack.waitUntilHealthy()
        #expect(try stack.run("curl -fsS http://localhost:3112/health | jq -c .checks.docker") == "false")
        let running = try stack.run("docker inspect -f '{{.State.StartedAt}}' mlflow-server")
        try stack.log(runs: 1, mebibytes: 1)
        try stack.run("\(Self.restore) --force \(name)")
        #expect(try stack.digest() == before)
        #expect(try stack.run("docker inspect -f '{{.State.StartedAt}}' mlflow-server") == running)
        try stack.up()
    }

    @Test func cronMakesTheBackupsOfItsSchedule() throws {
        try stack.up(["BACKUP_SCHEDULE": "* * * * *"])
        let known = Set(try stack.backupNames())
        #expect(
            try stack.run("docker exec mlflow-backup-service crontab -l").contains(
                "* * * * * /app/bin/scheduled-backup"))
        // What was due before the container was there the service makes itself: what counts is a run that names its backup.
        var (name, run) = ("", "")
        try stack.wait("cron has made a backup, and the log says how that ended", seconds: 200) {
            let names = try Set(stack.backupNames()).subtracting(known)
            let log = try stack.run("docker exec mlflow-backup-service cat /var/log/cron/backup.log")
            for candidate in log.split(separator: /\ backup_mlflow\.sh\n/).map(String.init) {
                guard let made = names.first(where: { candidate.contains($0) }) else { continue }
                (name, run) = (made, candidate)
            }
            return run.contains(/\ exit \d+\n/)
        }
        #expect(run.contains(/\ exit 0\n/), "\(run)")
        #expect(try stack.run("docker logs mlflow-backup-service").contains(name))
        try stack.up()
        #expect(
            try stack.run("docker exec mlflow-backup-service crontab -l").contains(
                "0 2 * * * /app/bin/scheduled-backup"))
    }

    @Test func aMissedBackupIsMadeAtTheNextStart() throws {
        try stack.up()
        let known = Set(try stack.backupNames())
        // As after a night off: every good backup and the folder's first use lie in the past.
        try stack.run(
            "docker exec mlflow-backup-service bash -c 'rm -rf /backup/mlflow/mlflow_backup_*; "
                + "touch -d \"3 days ago\" /backup/mlflow/.mlflow-backup/first-use'")
        try stack.run("docker-compose restart mlflow-backup")
        try stack.wait("the missed backup is made", seconds: 60) {
            !Set((try? stack.backupNames()) ?? []).subtracting(known).isEmpty
        }
        try stack.waitUntilHealthy()
    }

    @Test func onlyKnownHostNamesReachMLflow() throws {
        try stack.up(["PUBLIC_HOSTS": "mlflow.example.com"])
        for host in ["mlflow-server:5000", "mlflow:5000", "localhost:3111", "mlflow.example.com"] {
            try stack.run("curl -fsS -o /dev/null -H 'Host: \(host)' http://localhost:3111/version")
        }
        let foreign = try stack.run(
            "curl -sS -o /dev/null -w '%{http_code}' -H 'Host: evil.example.org' http://localhost:3111/api/2.0/mlflow/experiments/search"
        )
        #expect(foreign == "403")
        try stack.up()
    }

    /// Python otherwise compiles each file at each start of each worker, since the image is not its user's to write to.
    @Test func mLflowStartsFromBytecodeThatIsInTheImage() throws {
        try stack.up()
        let sources = try stack.bash(
            "docker exec mlflow-server python -v -c 'import mlflow.server' 2>&1 | grep -E \"^# code object from '[^']*[.]py'\""
        )
        #expect(sources.exit == 1, "compiled at each start: \(sources.text.prefix(2_000))")
        let bytecode = try stack.run(
            "docker exec mlflow-server python -v -c 'import mlflow.server' 2>&1 | grep -c \"^# code object from '/opt/mlflow/.*[.]pyc'\""
        )
        #expect(try #require(Int(bytecode)) > 1_000)
    }

    private static let victims = ["mlflow-postgres", "mlflow-server", "mlflow-backup-service"]

    @Test(
        arguments: TestForm.isLong
            ? victims.flatMap { [($0, "backup"), ($0, "restore")] }
            : Array(zip(victims, ["restore", "backup", "restore"])))
    func aContainerKilledAtWorkComesBackAndNothingIsLost(_ victim: String, _ work: String) throws {
        try stack.up()
        try stack.run("curl -fsS http://localhost:3112/backups | jq -e length >/dev/null")
        if try stack.run("docker exec mlflow-server du -sm /mlflow/artifacts | cut -f1").count < 3 {
            try stack.log(runs: 20, mebibytes: 20)
        }
        try stack.run(Self.backup)
        let before = try stack.digest()
        let known = try stack.backupNames()
        let line =
            work == "backup"
            ? "curl -fsS -X POST http://localhost:3112/backups"
            : "curl -fsS -X POST http://localhost:3112/restore -H 'Content-Type: application/json' "
                + "-d '{\"backup_name\": \"\(known[0])\", \"mode\": \"full\", \"force\": true}'"
        let task = try stack.run("\(line) | jq -r .task_id")
        // Until its work is seen: files of an unfinished backup, or artifacts that are being brought back.
        let sign =
            work == "backup" ? "/backup/mlflow/.mlflow-backup/staging/*" : "/mlflow/artifacts/.mlflow-backup-restore/*"
        // As a crash does. `docker kill` counts as a stop by hand, after which Docker starts nothing by itself.
        let killed = try stack.run(
            """
            pid=$(docker inspect -f '{{.State.Pid}}' \(victim))
            docker exec mlflow-backup-service timeout 60 sh -c 'until ls -d \(sign) >/dev/null 2>&1; do sleep 0.01; done'
            curl -fsS http://localhost:3112/tasks/\(task) | jq -r .status
            kill -9 $pid
            """)
        #expect(killed == "running", "it was killed in the midst of the \(work)")
        try stack.wait("\(victim) is back", seconds: 60) {
            try stack.bash("docker inspect -f '{{.State.Running}}' \(victim)").text.contains("true")
        }
        try stack.wait("the task has ended") {
            let status = try stack.bash("curl -fsS http://localhost:3112/tasks/\(task) | jq -r .status").text
            return status.contains("completed") || status.contains("failed")
        }
        try stack.wait("nothing is left unsettled") {
            try stack.bash("curl -sS http://localhost:3112/health | jq -e .checks.restore_settled").exit == 0
                && stack.bash("docker inspect -f '{{.State.Running}}' mlflow-server").text.contains("true")
                && stack.bash("curl -fsS http://localhost:3111/health").exit == 0
        }
        #expect(try stack.digest() == before)
        try stack.run(Self.backup)
        try stack.waitUntilHealthy()
    }

    @Test func dockerKillIsMendedByUp() throws {
        try stack.up()
        let before = try stack.digest()
        try stack.run("docker kill mlflow-postgres mlflow-server mlflow-backup-service")
        try stack.up()
        #expect(try stack.digest() == before)
    }
}
