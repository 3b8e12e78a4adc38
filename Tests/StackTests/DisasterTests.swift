// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// The days on which backups are made for.
@Suite(.serialized, .aheadBesideThePool) struct DisasterTests {
    @Test func whatWasDeletedForGoodComesBackAndAnEmptyStackServesTheSame() throws {
        let stack = try TestStack("main")
        try stack.logDemo()
        let before = try stack.fingerprint()
        #expect(before.hasSuffix(" 1"), "the registered model is loaded")
        let name = try stack.backup()

        try stack.deleteExperimentsForGood()
        let accepted = try Curl.post("\(stack.backupURL)/restore", "{\"backup_name\": \"\(name)\"}")
        #expect(accepted.status == 202, "\(accepted.text)")
        let task = try stack.finished(accepted.string("task_id"))
        #expect(task["status"] as? String == "completed", "\(task)")
        #expect(try stack.fingerprint() == before, "after a restore through the API")

        // Another, empty stack is given the archive file and nothing else.
        let other = try TestStack("other")
        let archive = stack.backups.appending(name)
        let outcome = try other.command(["restore", archive.string])
        #expect(outcome.succeeded, "\(outcome.errors)")
        #expect(try other.fingerprint() == before, "after a restore into an empty stack")

        try restoreByHand(archive, into: other)
        #expect(try other.fingerprint() == before, "after a restore by hand")
    }

    /// The lines of docs/restore-by-hand.md: tar, PostgreSQL's own programs and cp, with nothing of ours.
    private func restoreByHand(_ archive: FilePath, into stack: TestStack) throws {
        let scratch = try TemporaryFolder("by-hand")
        let secrets = stack.data.appending("secrets")
        let document = try String(
            decoding: OpenFile(TestStack.repository.appending("docs/restore-by-hand.md"), .read).readAll(),
            as: UTF8.self)
        var lines = try String(#require(document.firstMatch(of: /```bash\n([\s\S]*?)```/)).1)
        for (theirs, ours) in [
            ("/tmp", "'\(scratch.path)'"), ("mlflow_backup_20240730_020000.tar.gz", "'\(archive)'"),
            ("PGPORT=3110", "PGPORT=\(stack.postgresPort)"), ("/path/to/artifacts", "'\(stack.artifacts)'"),
        ] {
            #expect(lines.contains(theirs), "the document has changed")
            lines = lines.replacingOccurrences(of: theirs, with: ours)
        }
        try Shell.sh(
            """
            export PGPASSFILE='\(secrets.appending("pgpass"))'
            PATH=$(sed -n 's/^PG_BIN_DIR=//p' '\(stack.data.appending("stack.env"))'):$PATH
            \(lines)
            """)
    }

    @Test func newerDataIsNotOverwrittenUnlessForced() throws {
        let stack = try TestStack("newer")
        try stack.logDemo()
        let name = try stack.backup()
        let before = try stack.fingerprint()
        try stack.logDemo()
        let after = try stack.fingerprint()

        let refused = try Curl.post(
            "\(stack.backupURL)/restore", "{\"backup_name\": \"\(name)\"}", "-H", "Accept-Language: en")
        #expect(refused.status == 409)
        #expect(try refused.string("detail").contains("runs"), "it says what is newer: \(refused.text)")
        #expect(try stack.fingerprint() == after)
        let cli = try stack.command(["restore", name])
        #expect(cli.exit == .code(5), "\(cli.errors)")

        let forced = try Curl.post("\(stack.backupURL)/restore", "{\"backup_name\": \"\(name)\", \"force\": true}")
        #expect(try stack.finished(forced.string("task_id"))["status"] as? String == "completed")
        #expect(try stack.fingerprint() == before)
    }
}
