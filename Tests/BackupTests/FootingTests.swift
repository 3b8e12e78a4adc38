// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup
@testable import Postgres

@Suite(
    "Disks, locks and sessions that go away while an operation works",
    .enabled(if: geteuid() == 0, "mounting needs root"),
    .onItsOwnThread)
struct FootingTests {
    /// Does something once, when an operation comes to a stage.
    private func at(_ stage: Progress.Phase, _ body: @escaping @Sendable () throws -> Void) -> ProgressSink {
        let isDone = Monitor(false)
        return { progress in
            guard progress.phase == stage, !isDone.withLock({ $0 }) else { return }
            isDone.withLock { $0 = true }
            do { try body() } catch { Issue.record(error) }
        }
    }

    private func mount(_ path: FilePath) throws { try Shell.sh("mount -t tmpfs none '\(path)'") }
    private func unmount(_ path: FilePath) { _ = try? Shell.sh("umount '\(path)'") }

    @Test("a backup of artifacts whose disk went away in the midst is none")
    func backup() throws {
        let live = try LiveStackFixture("footing_backup")
        let artifacts = live.artifacts
        defer { unmount(artifacts) }
        let error = #expect(throws: BackupError.self) {
            try live.backup(progress: at(.dumping) { try mount(artifacts) })
        }
        #expect(error?.errorCode == "ground-moved")
        #expect(try live.names().isEmpty)
        #expect(try live.folder.leftInStaging().isEmpty)
        unmount(artifacts)
        try live.backup()
    }

    @Test("one disk of several that goes away from within the artifacts is noticed, too")
    func inner() throws {
        let live = try LiveStackFixture("footing_inner")
        let inner = live.artifacts.appending("1/run1/artifacts")
        try mount(inner)
        defer { unmount(inner) }
        let error = #expect(throws: BackupError.self) {
            try live.backup(progress: at(.dumping) { try Shell.sh("umount '\(inner)'") })
        }
        #expect(error?.errorCode == "ground-moved")
        #expect(try live.names().isEmpty)
    }

    @Test("a restore never goes into the empty mount point of artifacts whose disk went away in the midst")
    func restore() throws {
        let live = try LiveStackFixture("footing_restore")
        let name = try live.backup().name.string
        try live.add(runs: 41...42)
        let (artifacts, rows, files) = (live.artifacts, try live.rows(), try live.files())
        for stage in [Progress.Phase.verifying, .loading] {
            defer { unmount(artifacts) }
            let error = #expect(throws: BackupError.self) {
                try live.restore(name, force: true, progress: at(stage) { try mount(artifacts) })
            }
            #expect(error?.errorCode == "ground-moved", "\(stage): \(String(describing: error))")
            #expect(try !Directory.names(in: artifacts).contains(Array(ArtifactsMark.fileName.utf8)))
            unmount(artifacts)
            _ = try RecoverJob(live.workspace()).run()
            #expect(try live.rows() == rows)
            #expect(try live.files() == files)
        }
        try live.expectNothingLeftBehind()
    }

    @Test("a backup whose lock was lost in the midst is none: another service may have restored meanwhile")
    func lock() throws {
        let live = try LiveStackFixture("footing_lock")
        let database = live.database
        let error = #expect(throws: BackupError.self) {
            try live.backup(
                progress: at(.archiving) {
                    let session = try Connection(database)
                    defer { session.close() }
                    try session.execute(
                        """
                        select pg_terminate_backend(a.pid) from pg_locks l join pg_stat_activity a using (pid)
                        where l.locktype = 'advisory' and (l.classid::bigint << 32 | l.objid::bigint)
                          = \(StackLock.key(of: database.database))
                        """)
                })
        }
        #expect(error?.errorCode == "lock-lost", "\(String(describing: error))")
        #expect(try live.names().isEmpty)
        try live.backup()
    }

    @Test("where somebody ends the session of the last comparison, what it let in is not swapped away")
    func comparison() throws {
        let live = try LiveStackFixture("footing_compare")
        let name = try live.backup().name.string
        let database = live.database
        let ender = at(.swapping) {
            // It waits for our lock, as a client of MLflow's does.
            let writer = try WorkerThread("writer") {
                do { try Connection(database).execute("insert into registered_models values ('late', 1)") } catch {
                    Issue.record(error)
                }
            }
            let session = try Connection(database)
            while try session.rows("select from pg_locks where not granted and mode = 'RowExclusiveLock'").isEmpty {
                usleep(10_000)
            }
            try session.execute(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and application_name = 'mlflow-backup compare'
                """)
            session.close()
            writer.join()
        }
        #expect(throws: (any Error).self) { try live.restore(name, progress: ender) }
        #expect(try live.rows().contains("late"))
        _ = try RecoverJob(live.workspace()).run()
        #expect(try live.rows().contains("late"))
        let error = #expect(throws: BackupError.self) { try live.restore(name) }
        #expect(error?.errorCode == "newer-data")
    }

    @Test("a tree with more links that lead out than a manifest can name has a manifest that can be read")
    func manyLinks() throws {
        let live = try LiveStackFixture("footing_links")
        try Shell.sh(
            "cd '\(live.artifacts)/1' && python3 -c \"import os; [os.symlink('/etc/no', f'l{n}') for n in range(1200)]\""
        )
        let made = try live.backup()
        #expect(made.manifest.skipped.count == 1000 && made.manifest.skippedBeyond == 200)
        #expect(made.manifest.summary.skipped == 1200)
        #expect(made.warnings.contains { $0.english.contains("1200 entries were skipped") })
    }

    @Test("what root makes in folders of another user's is that user's, who goes on after it")
    func owners() throws {
        let live = try LiveStackFixture("footing_owners")
        let name = try live.backup().name.string
        try Shell.sh("chown -R 4242:4242 '\(live.folder.path)' '\(live.artifacts)'")
        try live.add(runs: 41...41)
        try Shell.sh("chown -R 4242:4242 '\(live.artifacts)'")
        try live.restore(name, force: true)
        let second = try live.backup().name.string
        let foreign = try Shell.sh(
            "find '\(live.folder.path)' '\(live.artifacts)/.mlflow-backup-restore' -maxdepth 2 ! -uid 4242 ! -name operation.lock"
        )
        #expect(foreign.isEmpty, "\(foreign)")
        #expect(try live.names().contains(second))
    }

    @Test("a byte that flipped in a folder is no content that is handed out as good")
    func catOfFolder() throws {
        let live = try LiveStackFixture("footing_cat")
        let name = try live.backup(.uncompressed).name.string
        let contents = BackupContents(try Catalogue(live.folder).item(named: name))
        let path = try #require(try contents.path(endingIn: "run1/artifacts/model.bin"))
        var bytes: [UInt8] = []
        try contents.copy(path) { bytes += Array($0) }
        #expect(bytes.starts(with: Array("model of run1".utf8)))
        try Shell.sh(
            "printf X | dd of='\(live.folder.path.appending(name).appending(path.bytes))' bs=1 seek=3 conv=notrunc status=none"
        )
        #expect(throws: ArchiveError.self) { try contents.copy(path) { _ in } }
    }
}

extension BackupContents {
    fileprivate func path(endingIn end: String) throws -> EntryPath? {
        let records = try records()
        while let record = try records.next() {
            if record.entry.path.description.hasSuffix(end) { return record.entry.path }
        }
        return nil
    }
}
