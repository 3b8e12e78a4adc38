// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

/// `docker/backup/bin/scheduled-backup` itself, with a stub in the place of the backup.
@Suite("What cron calls ends as the backup did, and its log says so", .besideThePool)
struct ScheduledBackupTests {
    private let folder: TemporaryFolder
    private let script: FilePath
    private var log: FilePath { folder.path.appending("backup.log") }
    private var output: FilePath { folder.path.appending("output") }

    init() throws {
        folder = try TemporaryFolder("scheduled")
        script = folder.path.appending("app/bin/scheduled-backup")
        let own = FilePath(String(#filePath)).parent.parent.parent.appending("docker/backup/bin/scheduled-backup")
        try Directory.make(script.parent)
        try Directory.make(folder.path.appending("app/backup_services"))
        try Shell.sh("install -m 755 '\(own)' '\(script)'")
        try folder.write("environment", "declare -x BACKUP_DIR=\"/of/the/container\"\n")
    }

    private func run(_ backup: String, _ changed: [String: String] = [:]) throws -> ChildProcess.Outcome {
        try TemporaryFolder.write(
            program: folder.path.appending("app/backup_services/backup_mlflow.sh"), "#!/bin/sh\n\(backup)\n")
        let environment = [
            "PATH": "/usr/bin:/bin", "SCHEDULED_ENVIRONMENT": folder.path.appending("environment").string,
            "SCHEDULED_LOG": log.string, "SCHEDULED_OUTPUT": output.string,
        ]
        return try ChildProcess(script, [], environment: environment.merging(changed) { $1 }).run()
    }

    private func text(_ path: FilePath) throws -> String {
        String(decoding: try OpenFile(path, .read).readAll(), as: UTF8.self)
    }

    @Test(
        "C45: the exit status of a failed backup is in the log, in docker logs, and the script's own",
        arguments: [0, 1, 7])
    func status(_ code: Int32) throws {
        #expect(try run("echo \"into $BACKUP_DIR\"; exit \(code)").exit == .code(code))
        for file in [log, output] {
            let text = try text(file)
            #expect(text.contains("into /of/the/container\n") && text.hasSuffix(" exit \(code)\n"), "\(text)")
        }
    }

    @Test("A log that nobody can write keeps no backup from being made")
    func brokenLog() throws {
        let done = folder.path.appending("done")
        let backup = "for n in 1 2 3 4 5 6 7 8; do head -c 20000 /dev/zero | tr '\\0' x; done; touch '\(done)'"
        let nowhere = ["SCHEDULED_LOG": "/proc/none/log", "SCHEDULED_OUTPUT": "/proc/none/output"]
        #expect(try run(backup, nowhere).exit == .code(0))
        #expect(try FileStatus.ifPresent(done) != nil)
        try Directory.remove(done)
        let full = ["SCHEDULED_LOG": "/dev/full", "SCHEDULED_OUTPUT": "/dev/full"]
        #expect(try run(backup, full).exit == .code(0))
        #expect(try FileStatus.ifPresent(done) != nil)
    }

    @Test("Without the settings of the container nothing is backed up, and the status says so")
    func noEnvironment() throws {
        try Directory.remove(folder.path.appending("environment"))
        let done = folder.path.appending("done")
        #expect(try run("touch '\(done)'").exit == .code(1))
        #expect(try FileStatus.ifPresent(done) == nil)
        #expect(try text(log).hasSuffix(" exit 1\n"))
    }
}
