// SPDX-License-Identifier: Apache-2.0

import Foundation
import Service
import SystemIO
import TestSupport
import Testing

@Suite("A task whose process is gone", .serialized, .aheadBesideThePool)
struct OrphanTests {
    @Test(
        "A command whose options cannot be read ends with 2 and leaves no task",
        arguments: [
            ["backup"], ["verify", "1"], ["restore", "1"], ["restore", "--undo"], ["claim"], ["forget", "x"],
        ])
    func badOption(_ command: [String]) throws {
        let live = try ServiceFixture("orphan_option")
        _ = try live.backup()
        let before = try live.service.tasks.list().map(\.id)
        for value in ["abc", "-1", "99999999"] {
            let outcome = try live.command(command + ["--wait", value])
            #expect(outcome.exit == .code(2), "\(outcome.errors)")
        }
        #expect(try live.service.tasks.list().map(\.id) == before)
    }

    @Test("A command that was killed while the service runs is failed within seconds, whatever runs meanwhile")
    func killed() throws {
        let live = try ServiceFixture("orphan_killed")
        try live.service.start()
        try live.holdingTheFolder {
            let task = try killedBackup(live)
            let record = try live.task(task)
            #expect(record["status"] as? String == "failed")
            #expect((record["error"] as? [String: Any])?["code"] as? String == "interrupted")
        }
    }

    @Test("Who cancels a task whose process was killed hears that it has ended, and it has")
    func cancelled() throws {
        let live = try ServiceFixture("orphan_cancelled")
        try live.holdingTheFolder {
            let task = try killedBackup(live)
            let answer = try live.send("POST", "/tasks/\(task)/cancel")
            #expect(answer.status == 409, "\(answer.text)")
            #expect(try answer.string("code") == "already-ended")
            #expect(try live.send("GET", "/tasks/\(task)").string("status") == "failed")
        }
    }

    /// - Returns: the task of a backup that waited for the folder when it was killed.
    private func killedBackup(_ live: ServiceFixture) throws -> String {
        let process = try live.start(["backup"])
        var task: TaskRecord?
        for _ in 0..<600 where task == nil {
            task = try live.service.tasks.list(.running).first
            usleep(50_000)
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        return try #require(task).id
    }
}
