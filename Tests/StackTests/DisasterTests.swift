// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// The days on which backups are made for.
@Suite(.serialized, .aheadBesideThePool) struct DisasterTests {
    @Test("what was deleted for good comes back, and an empty stack serves the same", arguments: StoreKind.allCases)
    func deletedForGood(on store: StoreKind) throws {
        let stack = try TestStack("main", on: store)
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
        let other = try TestStack("other", on: store)
        let archive = stack.backups.appending(name)
        let outcome = try other.command(["restore", archive.string])
        #expect(outcome.succeeded, "\(outcome.errors)")
        #expect(try other.fingerprint() == before, "after a restore into an empty stack")

        // The database file is nobody's else then.
        if store == .sqlite { try other.scriptsUp(["--stop"]) }
        try restoreByHand(archive, into: other)
        if store == .sqlite { try other.up() }
        #expect(try other.fingerprint() == before, "after a restore by hand")
    }

    /// The lines of docs/restore-by-hand.md: tar, PostgreSQL's own programs where it is on that, and cp, with nothing of ours.
    private func restoreByHand(_ archive: FilePath, into stack: TestStack) throws {
        let scratch = try TemporaryFolder("by-hand")
        let secrets = stack.data.appending("secrets")
        let document = try String(
            decoding: OpenFile(TestStack.repository.appending("docs/restore-by-hand.md"), .read).readAll(),
            as: UTF8.self)
        let blocks = document.matches(of: /```bash\n([\s\S]*?)```/).map { String($0.1) }
        try #require(blocks.count == 2, "the document has changed")
        var lines = blocks[stack.store == .postgres ? 0 : 1]
        let database =
            stack.store == .postgres
            ? ("PGPORT=3110", "PGPORT=\(stack.postgresPort)") : ("/path/to/mlflow.db", "'\(stack.database)'")
        for (theirs, ours) in [
            ("/tmp", "'\(scratch.path)'"), ("mlflow_backup_20240730_020000.tar.gz", "'\(archive)'"), database,
            ("/path/to/artifacts", "'\(stack.artifacts)'"),
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

    @Test("newer data is not overwritten unless forced", arguments: StoreKind.allCases)
    func newer(on store: StoreKind) throws {
        let stack = try TestStack("newer", on: store)
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
