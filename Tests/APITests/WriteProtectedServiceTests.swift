// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

@Suite(
    "C55: a service and its commands on a backup folder that nobody can write to", .serialized,
    .enabled(if: geteuid() == 0, "only root can mount one read-only here"), .aheadBesideThePool)
struct WriteProtectedServiceTests {
    @Test("The service starts, shows and restores; what writes is refused with a code; commands find what was kept")
    func service() throws {
        let live = try ServiceFixture("ro_first")
        let name = try live.backup()
        let folder = live.root.path.appending("backups")
        try ReadOnlyMount.make(over: folder)
        defer { _ = try? Shell.sh("umount '\(folder)'") }
        let same = ["BACKUP_DIR", "ARTIFACTS_DIR", "POSTGRES_DB"]
        let service = try ServiceFixture(
            "ro_second", settings: live.settingsEnvironment.filter { same.contains($0.key) })

        let health = try service.send("GET", "/health")
        #expect(health.text.contains("can only be read"), "\(health.text)")
        for path in ["/backups", "/stats", "/tasks", "/backups/\(name)/download", "/kept"] {
            let answer = try service.send("GET", path)
            #expect(answer.status == 200 || path == "/kept" && answer.status == 404, "\(path): \(answer.text)")
        }
        let verified = try service.task(service.send("POST", "/backups/\(name)/verify").string("task_id"))
        #expect(verified["status"] as? String == "completed", "\(verified)")
        #expect("\(verified)".contains("not recorded"), "\(verified)")
        for (method, path) in [("POST", "/backups"), ("DELETE", "/backups/\(name)")] {
            let refused = try service.send(method, path)
            #expect(refused.status == 503, "\(refused.text)")
            #expect(try refused.string("code") == "backup-folder-write-protected")
            #expect(try refused.string("detail").contains("set BACKUP_DIR"))
        }
        let noPlace = try service.send("POST", "/restore", #"{"backup_name": "\#(name)", "force": true}"#)
        #expect(noPlace.status == 409, "\(noPlace.text)")
        #expect(try noPlace.string("code") == "no-place-for-backup")
        #expect(try noPlace.string("detail").contains("backup_first"))
        let model = live.root.path.appending("artifacts/1/run1/artifacts/model.bin")
        try Shell.sh("echo changed > '\(model)'")
        let request = #"{"backup_name": "\#(name)", "force": true, "backup_first": false}"#
        let restored = try service.task(service.send("POST", "/restore", request).string("task_id"))
        #expect(restored["status"] as? String == "completed", "\(restored)")
        #expect(try FileStatus.of(model).size == 20_000)

        for (arguments, exit, words) in [
            (["list"], 0, name), (["list", name], 0, "model.bin"), (["verify", name], 0, "not recorded"),
            (["diff", name, name], 0, ""), (["doctor"], 1, "can only be read"), (["recover"], 0, "No restore"),
            (["kept"], 0, "2"), (["backup", "--quiet"], 1, "can only be read"), (["prune"], 1, "can only be read"),
            (["accept", name], 1, "can only be read"), (["claim"], 1, "can only be read"),
            (["restore", "--quiet", "--undo", "--force"], 1, "--no-backup"),
            (["restore", "--quiet", "--undo", "--force", "--no-backup"], 0, ""),
        ] as [([String], Int32, String)] {
            let outcome = try live.command(arguments)
            #expect(outcome.exit == .code(exit), "\(arguments): \(outcome.exit) \(outcome.output)\(outcome.errors)")
            #expect(
                words.isEmpty || (outcome.output + outcome.errors).contains(words),
                "\(arguments): \(outcome.output)\(outcome.errors)")
        }
        #expect(try FileStatus.of(model).size == 8)
    }
}
