// SPDX-License-Identifier: Apache-2.0

import Archive
import FoundationEssentials
import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("What a kill leaves is settled by the next run, and never stops one", .besideThePool)
struct LeftoverTests {
    @Test("C34: partial files of journals and dead adoptions are cleared, those of live adoptions are not")
    func partials() throws {
        let live = try LiveStackFixture("left_c34")
        let state = live.folder.state
        try DurableFile.replace(state.appending("restore-journal.json.4711-3.partial"), with: [1])
        try DurableFile.replace(state.appending("adopt-4711-old.tar.gz.partial"), with: [1])
        let used = state.appending("adopt-4712-new.tar.gz.partial")
        let holder = try #require(try AdvisoryLock.tryLock(used, note: ""))
        try live.backup()
        withExtendedLifetime(holder) {}
        let left = try Directory.names(in: state).map { String(decoding: $0, as: UTF8.self) }
            .filter { $0.hasSuffix(".partial") }
        #expect(left == ["adopt-4712-new.tar.gz.partial"])
    }

    @Test(
        "What a kill leaves of trying the backup folder is cleared by the next operation, and a person's files are not")
    func probes() throws {
        let live = try LiveStackFixture("left_probes")
        let folder = live.folder.path
        // No process has such a number.
        let dead = [".mlflow-backup-probe-1f.4194999-1.partial", ".mlflow-backup-probe-2f.4194999-2.partial"]
        try live.folder.prepare()
        try DurableFile.replace(folder.appending(dead[0]), with: [1])
        try Directory.make(folder.appending(dead[1]))
        for name in [".mlflow-backup-probe-notes", "probe-3f.4194999-3.partial"] {
            try DurableFile.replace(folder.appending(name), with: [1])
        }
        try live.backup()
        let left = try Directory.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
            .filter { $0.contains("probe-") }
        #expect(left == [".mlflow-backup-probe-notes", "probe-3f.4194999-3.partial"])
    }

    @Test(
        "A leftover that cannot be removed is a warning and stops no backup",
        .enabled(if: geteuid() == 0, "chattr needs root"))
    func immovable() throws {
        let live = try LiveStackFixture("left_immutable")
        let stuck = live.folder.staging.appending("dump-old")
        try Directory.make(live.folder.staging)
        try DurableFile.replace(stuck, with: [1])
        try needs((try? Shell.sh("chattr +i '\(stuck)'")) != nil, "tmpfs and overlay know no immutable files")
        defer { _ = try? Shell.sh("chattr -i '\(stuck)'") }
        let outcome = try live.backup()
        #expect(try live.item(outcome.name).status == .completed)
        #expect(outcome.warnings.contains { $0.english.contains("dump-old") })
    }

    @Test(
        "An expired backup that cannot be removed is a warning, and the others go",
        .enabled(if: geteuid() == 0, "chattr needs root"))
    func immovableExpired() throws {
        let live = try LiveStackFixture("left_expired")
        let names = try (0..<3).map { number in
            try live.add(runs: (30 + number)...(30 + number))
            return try live.backup(retention: .count(100)).name
        }
        let stuck = live.folder.path.appending(names[1].string)
        try needs((try? Shell.sh("chattr +i '\(stuck)'")) != nil, "tmpfs and overlay know no immutable files")
        defer { _ = try? Shell.sh("chattr -i '\(stuck)'") }
        let outcome = try live.backup(retention: .count(1))
        #expect(outcome.removed.contains(names[0]))
        #expect(outcome.warnings.contains { $0.english.contains(names[1].string) })
        #expect(try live.item(outcome.name).status == .completed)
    }

    @Test(
        "C35: numbers that no honest sidecar has make it a damaged one, and trap nowhere",
        arguments: TestForm.oneIn(
            3,
            of: [
                ("generation", "9223372036854775807"), ("generation", "9223372036854775808"), ("generation", "-1"),
                ("size", "9223372036854775808"), ("size", "18446744073709551615"), ("size", "-5"),
                ("index_offset", "18446744073709551615"), ("created_at", "-9223372036854775808"),
                ("created_at", "9223372036854775807"), ("verified_at", "9223372036854775807"),
                ("verified_at", "-9223372036854775808"), ("cloned_bytes", "18446744073709551615"),
                ("copied_bytes", "18446744073709551615"), ("duration_seconds", "-1e300"),
            ]))
    func absurd(field: String, value: String) throws {
        let live = try LiveStackFixture("left_c35")
        let name = try live.backup().name
        let path = live.folder.path.appending(name.sidecar)
        let text = String(decoding: try OpenFile(path, .read).readAll(), as: UTF8.self)
        let lines = text.split(separator: "\n").map { line in
            line.contains("\"\(field)\" :") ? "  \"\(field)\" : \(value)," : String(line)
        }
        try DurableFile.replace(path, with: Array(lines.joined(separator: "\n").utf8))
        #expect(try live.item(name).status == .unverified)
        let next = try live.backup()
        #expect(try live.item(next.name).status == .completed)
        _ = try VerifyJob(live.workspace()).run(name.string)
        #expect(try live.item(name).status == .completed)
    }

    @Test(
        "C36: a digest or size in the sidecar that is not the archive's is told, and put right where the members vouch")
    func wrongDigest() throws {
        let live = try LiveStackFixture("left_c36")
        let name = try live.backup().name
        let right = try live.sidecar(name)
        for change: (inout Sidecar) -> Void in [
            { $0.sha256 = String(repeating: "ab", count: 32) },
            { $0.size += 1 },
            { $0.indexSHA256 = String(repeating: "cd", count: 32) },
        ] {
            var wrong = right
            change(&wrong)
            try wrong.write(in: live.folder)
            _ = try VerifyJob(live.workspace()).run(name.string)
            let now = try live.sidecar(name)
            #expect(now.sha256 == right.sha256 && now.size == right.size && now.indexSHA256 == right.indexSHA256)
        }
    }
}
