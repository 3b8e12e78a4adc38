// SPDX-License-Identifier: Apache-2.0

import Foundation
import MLflowStore
import Postgres
import SystemIO
import TestSupport
import Testing

@Suite("Questions at a terminal", .serialized, .aheadBesideThePool)
struct PromptTests {
    /// Runs the program under a pseudo-terminal: says `lines`, and presses Ctrl-C once `question` is there.
    private func interrupt(_ live: ServiceFixture, _ arguments: String, after lines: String, at question: String) throws
        -> String
    {
        let log = live.root.path.appending("typescript")
        try Directory.removeTree(log)
        let typing =
            "printf '\(lines)'; for i in $(seq 600); do grep -qs '\(question)' '\(log)' && break; sleep 0.1; done; "
            + "sleep 0.2; printf '\\003'; sleep 3"
        // script(1) ends with the status of what it ran, and gives its own input to the terminal.
        return try Shell.run(
            "/bin/bash",
            ["-c", "(\(typing)) | script -qfec \"exec \(live.program) \(arguments)\" '\(log)' >/dev/null; echo -n $?"],
            environment: live.settingsEnvironment)
    }

    @Test("end with 130 at Ctrl-C, the first as well as the last, after a restore was tried; nothing is changed")
    func controlC() throws {
        let live = try ServiceFixture("prompt")
        _ = try live.backup()
        #expect(try interrupt(live, "restore", after: "", at: "Number of the backup") == "130")
        try Connection(live.database).execute("insert into runs values ('late', 4790000000001, 0)")
        #expect(try interrupt(live, "restore", after: #"1\n\nyes\n"#, at: "Type overwrite") == "130")
        #expect(try Connection(live.database).rows("select count(*) from runs").first?.int64(0) == 2)
        #expect(try live.command(["restore", "--undo"]).exit == .code(1), "nothing was replaced")
    }

    @Test("are not asked where force is no answer: a newer schema ends the restore at once, with 1")
    func newerSchema() throws {
        let live = try ServiceFixture("prompt_schema")
        _ = try live.backup()
        // Below that of the backup, which is not the newest that we know.
        let made = try #require(SchemaRevisions.chain.firstIndex(of: "dc11669786a5"))
        let older = SchemaRevisions.chain[made - 2]
        try Connection(live.database).execute("update alembic_version set version_num = \(older)")
        let log = live.root.path.appending("typescript")
        let status = try Shell.run(
            "/bin/bash",
            [
                "-c",
                "(printf '1\\n\\nyes\\n'; sleep 1; printf 'overwrite\\n'; sleep 2) | "
                    + "script -qfec \"exec \(live.program) restore\" '\(log)' >/dev/null; echo -n $?",
            ], environment: live.settingsEnvironment)
        let shown = try String(contentsOfFile: log.string, encoding: .utf8)
        #expect(status == "1" && shown.contains("has a newer schema"), "\(status) \(shown)")
        #expect(!shown.contains("Type overwrite"), "\(shown)")
        for arguments in [["restore", "1"], ["restore", "1", "--force"]] {
            let outcome = try live.command(arguments)
            #expect(outcome.exit == .code(1) && !outcome.errors.contains("use --force"), "\(outcome.errors)")
        }
    }
}
