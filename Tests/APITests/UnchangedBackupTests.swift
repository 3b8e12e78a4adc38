// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@Suite("A backup says \"verified\" only where its bytes were read in that run", .besideThePool)
struct UnchangedBackupTests {
    private func result(_ live: ServiceFixture, _ arguments: [String]) throws -> [String: Any] {
        let outcome = try live.command(["backup", "--json"] + arguments)
        #expect(outcome.exit == .code(0), "\(outcome.errors)")
        return try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    @Test("at the command line, as JSON, and as the result of a task; in both languages")
    func unchanged() throws {
        let live = try ServiceFixture("unchanged_words")
        // The first one marks the artifacts folder, and stamps younger than two seconds prove nothing.
        _ = try live.backup()
        try Connection(live.database).execute("vacuum analyze")
        try live.root.write("artifacts/1/run1/artifacts/more.bin", [1, 2, 3])
        sleep(3)
        let first = try result(live, [])
        #expect(first["unchanged_since"] == nil)
        #expect(first["verified"] as? Bool == true)
        let name = try #require(first["backup"] as? String)
        let second = try result(live, [])
        #expect(second["unchanged_since"] as? String == name)
        #expect(second["verified"] as? Bool == false)
        #expect((second["last_read"] as? String)?.isEmpty == false)
        let text = try live.command(["backup", "--lang", "en"]).output
        #expect(text.contains("unchanged since ") && text.contains("whose bytes were last read"), "\(text)")
        #expect(!text.contains("verified"))
        let chinese = try live.command(["backup", "--lang", "zh"]).output
        #expect(chinese.contains("未改变") && !chinese.contains("已校验"), "\(chinese)")
        let task = try live.task(live.send("POST", "/backups").string("task_id"))
        let stdout = try #require((task["result"] as? [String: Any])?["stdout"] as? String)
        #expect(stdout.contains("unchanged since ") && !stdout.contains("verified"), "\(stdout)")
    }
}
