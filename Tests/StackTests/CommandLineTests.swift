// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// The program at a shell: help, exit codes, JSON, the scripts, and a service that is not running.
@Suite(.serialized, .aheadBesideThePool) struct CommandLineTests {
    @Test func helpVersionAndMistakesNeedNoStack() throws {
        let binary = FilePath(ProcessInfo.processInfo.environment["MLFLOW_BACKUP_BINARY"] ?? "")
        try #require(!binary.bytes.isEmpty, "MLFLOW_BACKUP_BINARY is not set: run scripts/test")
        func run(_ arguments: String...) throws -> ChildProcess.Outcome {
            try ChildProcess(binary, arguments, environment: ["PATH": "/usr/bin:/bin"]).run()
        }
        #expect(try run("--version").output.hasPrefix("mlflow-backup 0."))
        for command in [
            "serve", "backup", "restore", "list", "verify", "cat", "diff", "scrub", "doctor", "prune", "recover",
            "forget", "claim",
        ] {
            let english = try run(command, "--help", "--lang", "en")
            #expect(english.succeeded)
            #expect(english.output.contains("Usage: mlflow-backup \(command)"))
            #expect(try run(command, "--help").output.contains("用法"))
        }
        let mistyped = try run("bakcup", "--lang", "en")
        #expect(mistyped.exit == .code(2))
        let option = try run("backup", "--no-compres", "--lang=en")
        #expect(option.exit == .code(2))
        #expect(option.errors.contains("--no-compress"), "the nearest option is named: \(option.errors)")
        #expect(try run("backup", "--max-backups", "many").exit == .code(2))
        #expect(try run("backup", "--max-backups", "2", "--keep-days", "3").exit == .code(2))
        #expect(try run("restore", "--undo", "--database").exit == .code(2))
        #expect(try run("restore", "--undo", "1").exit == .code(2))
        #expect(try run("forget").exit == .code(2))
        let directory = try run("list", "--backup-dir", "relative/path", "--lang", "en")
        #expect(directory.exit == .code(2))
        #expect(directory.errors.contains("BACKUP_DIR"))
    }

    private func expectContentsCanBeLookedAt(_ stack: TestStack) throws {
        let manifest = try stack.command(["cat", "1", "manifest.json"])
        #expect(manifest.output.contains("\"alembic_revision\""))
        #expect(try stack.command(["cat", "1", "mlflow_backup/manifest.json"]).output == manifest.output)
        let missing = try stack.command(["cat", "1", "artifacts/none", "--lang", "en"])
        #expect(missing.exit == .code(3))
        #expect(missing.errors.contains("artifacts/none"))
        let entries = try stack.command(["list", "1", "--long"]).output.split(separator: "\n")
        #expect(entries.contains { $0.hasSuffix("  database/toc.dat") })
        let file = try #require(entries.first { $0.hasPrefix("f ") && $0.contains("  artifacts/") })
        let path = String(try #require(file.split(separator: " ").last))
        let digest = try Shell.sh(
            "'\(stack.data)/mlflow-backup' cat 1 '\(path)' | sha256sum | cut -d' ' -f1")
        #expect(file.contains(digest.filter { !$0.isWhitespace }))
        for line in try stack.command(["list", "1", "--json"]).output.split(separator: "\n") {
            _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
        }
        let diff = try stack.command(["diff", "2", "1", "--lang", "en"]).output
        #expect(diff.contains("total: 0 added, 0 changed, 0 removed"), "\(diff)")
        #expect(try stack.command(["scrub", "--rate", "0"]).succeeded)
        let doctor = try stack.command(["doctor", "--lang", "en"])
        #expect(doctor.succeeded && doctor.output.contains("The backup folder is on"), "\(doctor.errors)")
        // As where MLflow serves a bucket: its own list of artifacts is held against the folder.
        let other = try TemporaryFolder("served-elsewhere")
        try other.write("artifacts/unrelated", "x")
        let elsewhere = try stack.command(
            [
                "doctor", "--lang", "en", "--artifacts-dir", other.path.appending("artifacts").string, "--backup-dir",
                other.path.appending("backups").string,
            ])
        #expect(elsewhere.exit == .code(9), "\(elsewhere.exit) \(elsewhere.errors)")
        #expect(elsewhere.output.contains("that the MLflow server lists among its artifacts"), "\(elsewhere.output)")
    }

    /// As where the disk of the backups is not mounted, or was lost for good.
    private func expectAnEmptyFolderIsAcceptedByClaimAlone(_ stack: TestStack) throws {
        let aside = stack.data.appending("backups-aside")
        try Directory.rename(stack.backups, to: aside)
        try Directory.make(stack.backups)
        for command in [["backup"], ["prune"], ["restore", "--undo"]] {
            let refused = try stack.command(command + ["--lang", "en"])
            #expect(refused.exit == .code(1), "\(command): \(refused.exit)")
            #expect(refused.errors.contains("mlflow-backup claim"), "\(command): \(refused.errors)")
        }
        #expect(try Directory.names(in: stack.backups).isEmpty)
        let claimed = try stack.command(["claim"])
        #expect(claimed.succeeded, "\(claimed.errors)")
        #expect(try stack.command(["backup", "--quiet"]).succeeded)
        try Directory.removeTree(stack.backups)
        try Directory.rename(aside, to: stack.backups)
    }

    @Test func backupListVerifyPruneAndRestoreWorkWhileTheServiceIsDown() throws {
        let stack = try TestStack("cli")
        try stack.logDemo()
        let before = try stack.fingerprint()
        let pid = String(decoding: try OpenFile(stack.data.appending("run/backup.pid"), .read).readAll(), as: UTF8.self)
        try Shell.sh(
            "kill \(pid.prefix { $0.isNumber }); while kill -0 \(pid.prefix { $0.isNumber }) 2>/dev/null; do sleep 0.1; done"
        )

        let dry = try stack.command(["backup", "--dry-run"])
        #expect(dry.succeeded, "\(dry.errors)")
        #expect(try stack.command(["list", "--json"]).output.filter { !$0.isWhitespace } == "[]")
        var names: [String] = []
        for _ in 0..<3 {
            let outcome = try stack.command(["backup", "--json"])
            #expect(outcome.succeeded, "\(outcome.errors)")
            let result = try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
            names.append(try #require(result["backup"] as? String))
        }
        #expect(Set(names).count == 3, "three backups in a row have three names")
        let last = try stack.command(["backup", "--max-backups", "2", "--quiet"])
        #expect(last.succeeded && last.output.isEmpty, "\(last.output)")
        let listed = try #require(
            try JSONSerialization.jsonObject(with: Data(try stack.command(["list", "--json"]).output.utf8))
                as? [[String: Any]])
        #expect(listed.count == 2)
        #expect(listed.allSatisfy { $0["status"] as? String == "completed" })
        #expect(try stack.command(["verify", "--all"]).succeeded)
        #expect(try stack.command(["verify", "nothing.tar.gz"]).exit == .code(3))
        try expectContentsCanBeLookedAt(stack)
        #expect(try stack.command(["prune", "--max-backups", "1", "--dry-run"]).succeeded)
        #expect(try stack.command(["restore", "9"]).exit == .code(3))
        #expect(try stack.command(["restore"]).exit == .code(2), "without a terminal it does not ask")
        let restored = try stack.command(["restore", "1"])
        #expect(restored.succeeded, "\(restored.errors)")
        #expect(try stack.fingerprint() == before)

        // The scripts of the guide are a line or two that call the program.
        let settings = stack.data.appending("mlflow-backup")
        let script = TestStack.repository.appending("scripts/backup_services/restore_mlflow_backup.sh")
        let output = try Shell.run(script, ["--list"], environment: ["MLFLOW_BACKUP_BINARY": settings.string])
        #expect(output.contains("1   mlflow_backup_"))

        try expectAnEmptyFolderIsAcceptedByClaimAlone(stack)
        // Its tasks are in the service's list when that runs again.
        try stack.up()
        let tasks = try Curl.get("\(stack.backupURL)/tasks").array()
        #expect(tasks.contains { $0["origin"] as? String == "cli" && $0["kind"] as? String == "restore" })
    }

    @Test func thePasswordIsInNoArgumentEnvironmentOrLog() throws {
        let stack = try TestStack("secrets")
        try stack.logDemo()
        let secret = String(
            decoding: try OpenFile(stack.data.appending("secrets/postgres_password"), .read).readAll(), as: UTF8.self
        ).trimmingCharacters(in: .whitespacesAndNewlines)
        try Shell.sh("mkdir -p \(stack.artifacts)/9 && head -c 200000000 /dev/urandom > \(stack.artifacts)/9/big")
        let task = try Curl.post("\(stack.backupURL)/backups", "{}").string("task_id")
        // Read here, not by a grep whose own argument would hold the secret.
        for _ in 0..<40 {
            for process in try Directory.names(in: "/proc") where process.allSatisfy({ (48...57).contains($0) }) {
                for file in ["cmdline", "environ"] {
                    let path = FilePath("/proc").appending(process).appending(file)
                    // Processes end while they are looked at.
                    guard let bytes = try? OpenFile(path, .read).readAll() else { continue }
                    #expect(!String(decoding: bytes, as: UTF8.self).contains(secret), "the password is in \(path)")
                }
            }
        }
        #expect(try stack.finished(task)["status"] as? String == "completed")
        let logs = try Shell.sh("cat \(stack.data)/logs/*.log")
        #expect(!logs.contains(secret))
    }
}
