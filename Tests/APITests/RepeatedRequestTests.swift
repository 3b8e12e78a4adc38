// SPDX-License-Identifier: Apache-2.0

import Backup
import Foundation
import Glibc
import Postgres
import Service
import SystemIO
import TestSupport
import Testing

@Suite("The same request twice", .serialized, .aheadBesideThePool)
struct RepeatedRequestTests {
    @Test("A restore that is open already is refused with 409, which names the task; another one is taken")
    func restore() throws {
        let live = try ServiceFixture("twice_restore")
        let name = try live.backup()
        let body = #"{"backup_name": "\#(name)", "mode": "full"}"#
        var first = ""
        try live.holdingTheFolder {
            first = try live.send("POST", "/restore", body).string("task_id")
            let second = try live.send("POST", "/restore", body)
            #expect(second.status == 409, "\(second.text)")
            let detail = try second.string("detail")
            #expect(detail.contains("GET /tasks/\(first) ") && !detail.contains("{id}"), "\(detail)")
            #expect(try second.string("code") == "already-requested")
            // What differs is another request.
            let other = try live.send("POST", "/restore", #"{"backup_name": "\#(name)", "mode": "artifacts"}"#)
            #expect(other.status == 202, "\(other.text)")
            let id = try other.string("task_id")
            #expect(try live.send("POST", "/tasks/\(id)/cancel").status == 202)
        }
        #expect(try live.task(first)["status"] as? String == "completed")
        // Once it has ended, the same may be asked for again.
        let again = try live.send("POST", "/restore", body)
        #expect(again.status == 202, "\(again.text)")
        let repeated = try live.task(again.string("task_id"))
        #expect(repeated["status"] as? String == "completed")
    }

    @Test("So is an undo, with force or without: a second one would take back the first")
    func undo() throws {
        let live = try ServiceFixture("twice_undo")
        let name = try live.backup()
        let restored = try live.task(live.send("POST", "/restore", #"{"backup_name": "\#(name)"}"#).string("task_id"))
        #expect(restored["status"] as? String == "completed", "\(restored)")
        var first = ""
        try live.holdingTheFolder {
            first = try live.send("POST", "/restore/undo", "{}").string("task_id")
            for body in ["{}", #"{"force": true}"#, #"{"force": true, "backup_first": false}"#] {
                let second = try live.send("POST", "/restore/undo", body)
                #expect(second.status == 409, "\(second.text)")
                #expect(try second.string("code") == "already-requested")
            }
        }
        #expect(try live.task(first)["status"] as? String == "completed")
    }

    @Test("So is a verification; two backups are two backups")
    func verifyAndBackup() throws {
        let live = try ServiceFixture("twice_verify")
        let name = try live.backup()
        try live.holdingTheFolder { () throws in
            #expect(try live.send("POST", "/backups/\(name)/verify").status == 202)
            #expect(try live.send("POST", "/backups/\(name)/verify").status == 409)
            #expect(try live.send("POST", "/backups").status == 202)
            #expect(try live.send("POST", "/backups").status == 202)
        }
    }

    @Test("Two deletions of one backup at once: one deletes it, the other hears 404")
    func deletions() throws {
        let folder = try TemporaryFolder("twice_log")
        defer { withExtendedLifetime(folder) {} }
        let said = folder.path.appending("log")
        let descriptor = Glibc.open(said.string, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let live = try ServiceFixture("twice_delete", log: Log(descriptor: descriptor))
        let name = try live.backup()
        let statuses = TestResults()
        try live.holdingTheFolder {
            for _ in 0..<2 {
                Thread.detachNewThread {
                    let status = (try? live.send("DELETE", "/backups/\(name)").status) ?? 0
                    statuses.add(status)
                }
            }
            // Both have found it and wait for the folder, which each says once.
            var waiting = 0
            for _ in 0..<2000 where waiting < 2 {
                usleep(2000)
                let text = try String(contentsOfFile: said.string, encoding: .utf8)
                waiting = text.components(separatedBy: "waiting for another operation").count - 1
            }
            try #require(waiting == 2)
        }
        #expect(statuses.wait(for: 2).sorted() == [200, 404])
        #expect(try live.service.operations.catalogue.items().isEmpty)
    }

    @Test("S21: while a restore is at its swap the database has no name; a backup asked for then waits for its turn")
    func backupDuringASwap() throws {
        let live = try ServiceFixture("twice_swap")
        let name = try live.backup()
        let session = try Connection(live.database.naming(database: "postgres"))
        defer { session.close() }
        let (database, away) = (live.database.database, live.database.database + "_away")
        try session.execute("alter database \(identifier: database) rename to \(identifier: away)")
        #expect(try live.send("POST", "/backups").status == 503, "nobody is at it")
        try session.execute("alter database \(identifier: away) rename to \(identifier: database)")
        var (restore, backup) = ("", "")
        try live.holdingTheFolder {
            restore = try live.send("POST", "/restore", #"{"backup_name": "\#(name)"}"#).string("task_id")
            _ = try live.task(restore, reaches: ["running"])
            try session.execute("alter database \(identifier: database) rename to \(identifier: away)")
            let answer = try live.send("POST", "/backups")
            try session.execute("alter database \(identifier: away) rename to \(identifier: database)")
            #expect(answer.status == 202, "\(answer.text)")
            backup = try answer.string("task_id")
        }
        #expect(try live.task(restore)["status"] as? String == "completed")
        #expect(try live.task(backup)["status"] as? String == "completed")
    }
}
