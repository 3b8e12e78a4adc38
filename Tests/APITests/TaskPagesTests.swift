// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Service

@Suite("Many task records", .besideThePool)
struct TaskPagesTests {
    /// As an earlier day left them; some of one second.
    private func fill(_ store: TaskStore, _ count: Int) throws {
        let now = LocalTime.now().epoch
        for number in 0..<count {
            var record = TaskRecord(
                id: "backup_old_\(number)", kind: .backup, origin: .api, message: BilingualText(zh: "旧", en: "old"),
                createdAt: LocalTime(epoch: now - 100_000 + Int64(number / 3)))
            record.status = number % 4 == 0 ? .failed : .completed
            record.completedAt = record.createdAt
            try store.insert(record)
        }
    }

    private func ids(_ answer: APIAnswer) throws -> [String] {
        let list = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [[String: Any]])
        return list.compactMap { $0["task_id"] as? String }
    }

    @Test("S4: a plain list is the newest hundred; pages of any size hold each task once, newest first")
    func pages() throws {
        let live = try ServiceFixture("task_pages")
        try live.recording { try fill($0, 260) }
        let expected = (0..<260).reversed().map { "backup_old_\($0)" }
        #expect(try ids(live.send("GET", "/tasks")) == Array(expected.prefix(100)))
        #expect(try ids(live.send("GET", "/tasks?limit=1000")) == expected)
        for limit in [1, 7, 100] {
            var found: [String] = []
            var query = "limit=\(limit)"
            while true {
                let page = try ids(live.send("GET", "/tasks?\(query)"))
                guard let last = page.last else { break }
                #expect(page.count <= limit)
                found += page
                query = "limit=\(limit)&before=\(last)"
            }
            #expect(found == expected, "\(limit)")
        }
        let failed = try ids(live.send("GET", "/tasks?status=failed&limit=1000"))
        #expect(failed == expected.filter { (Int($0.dropFirst(11)) ?? 1) % 4 == 0 })
        for query in ["limit=0", "limit=1001", "limit=x", "limit=", "before=nobody", "status=lost"] {
            let answer = try live.send("GET", "/tasks?\(query)")
            #expect(answer.status == 422, "\(query): \(answer.text)")
            #expect(try answer.string("code") == "bad-value")
        }
    }

    @Test("what was done is seen at once by who did it, what another process did after a second; counts stay right")
    func changes() throws {
        let live = try ServiceFixture("task_changes")
        try live.recording { try fill($0, 20) }
        for number in 0..<5 {
            let id = try live.send("POST", "/backups").string("task_id")
            #expect(try ids(live.send("GET", "/tasks")).first == id, "\(number)")
            _ = try live.task(id)
        }
        let other = try TaskStore(in: live.root.path.appending("backups/.mlflow-backup"), log: .silent)
        let record = try other.begin(.verify, origin: .cli, message: BilingualText(zh: "别", en: "other"))
        try Patience.wait("the other's task to be seen") {
            try ids(live.send("GET", "/tasks")).first == record.id
        }
        try other.finish(record.id, .completed, message: BilingualText(zh: "好", en: "done"))
        #expect(try other.removeFinished(olderThan: 90_000) == 20)
        try Patience.wait("the counts to be right") {
            let statistics = try live.send("GET", "/stats").object()["task_stats"] as? [String: Int]
            return statistics == ["total": 6, "pending": 0, "running": 0, "completed": 6, "failed": 0]
        }
        #expect(try ids(live.send("GET", "/tasks")).count == 6)
    }
}
