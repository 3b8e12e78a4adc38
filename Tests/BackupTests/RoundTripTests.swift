// SPDX-License-Identifier: Apache-2.0

import Archive
import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(.besideThePool(alsoQuick: true), .onEachPostgres) struct RoundTripTests {
    @Test(arguments: [BackupName.Kind.compressed, .uncompressed])
    func everythingComesBackAfterItWasWrecked(_ kind: BackupName.Kind) throws {
        let live = try LiveStackFixture("roundtrip")
        let (rows, files) = (try live.rows(), try live.files())
        let backup = try live.backup(kind)
        #expect(backup.manifest.database.rows["public.runs"] == 20)
        #expect(backup.manifest.artifacts.files == 20)

        try Connection(live.database).execute("delete from metrics")
        try Shell.sh(
            "rm -r '\(live.artifacts)/1/run3' && echo junk > '\(live.artifacts)/1/run4/artifacts/model.bin' && touch -d @1 '\(live.artifacts)/1/run4/artifacts/model.bin'"
        )
        // A file with other bytes is in no backup, whatever its time says.
        #expect(throws: BackupError.self) { try live.restore(backup.name.string) }
        try live.restore(backup.name.string, force: true)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
        try live.restore(backup.name.string)
        #expect(try live.rows() == rows, "a second restore changes nothing")
    }

    @Test func aPartialRestoreLeavesTheOtherHalfAlone() throws {
        let live = try LiveStackFixture("partial")
        let (rows, files) = (try live.rows(), try live.files())
        let name = try live.backup().name.string
        try Connection(live.database).execute("delete from metrics")
        try Directory.removeTree(live.artifacts.appending("1/run5"))
        let (wreckedRows, wreckedFiles) = (try live.rows(), try live.files())
        try live.restore(name, .database)
        #expect(try live.rows() == rows)
        #expect(try live.files() == wreckedFiles)
        try Connection(live.database).execute("delete from metrics")
        try live.restore(name, .artifacts)
        #expect(try live.rows() == wreckedRows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
    }

    @Test func aDatabaseThatIsGoneAndAStackThatIsUntouchedAreRestoredWithoutForce() throws {
        let live = try LiveStackFixture("gone")
        let (rows, files) = (try live.rows(), try live.files())
        if geteuid() == 0 { try Shell.sh("chown -R 4001:4002 '\(live.artifacts)' && chmod 2775 '\(live.artifacts)'") }
        let before = try FileStatus.of(live.artifacts)
        let name = try live.backup().name.string
        try Databases(live.database).drop(live.database.database)
        try Directory.removeTree(live.artifacts)
        try live.restore(name)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        // MLflow, which is another user than root, goes on in it.
        let (after, file) = (try FileStatus.of(live.artifacts), live.artifacts.appending("1/run2/artifacts/model.bin"))
        #expect(after.owner == before.owner && after.group == before.group)
        #expect(try FileStatus.of(file).owner == before.owner)
        if geteuid() == 0 { #expect(after.mode == before.mode) }

        // As a new stack has it: one experiment, made after the backup.
        let connection = try Connection(live.database)
        for table in ["metrics", "runs", "experiments"] { try connection.execute("delete from \(identifier: table)") }
        try connection.execute("insert into experiments values (0, 'Default', 1999999999999, 1999999999999, 'active')")
        connection.close()
        try live.restore(name)
        #expect(try live.rows() == rows)
    }

    @Test func anAdoptedArchiveIsUnverifiedThenRestorableAndNeverPruned() throws {
        let live = try LiveStackFixture("adopted")
        let rows = try live.rows()
        let made = try live.backup()
        let foreign = live.root.path.appending("from elsewhere.tar.gz")
        try Shell.run("/bin/cp", [made.path.string, foreign.string])
        let name = try Catalogue(live.folder).adopt(foreign)
        #expect(try Catalogue(live.folder).item(named: name.string).status == .unverified)
        try Connection(live.database).execute("delete from metrics")
        try live.restore(name.string)
        #expect(try live.rows() == rows)
        let item = try Catalogue(live.folder).item(named: name.string)
        #expect(item.status == .completed)
        #expect(item.sidecar?.adopted == true)
        try live.backup(retention: .count(1))
        #expect(try live.names().contains(name.string))
        #expect(try !live.names().contains(made.name.string))
    }

    @Test func aFolderThatIsGivenByItsPathIsTheBackupThatItIsOrSaysWhatToDo() throws {
        let live = try LiveStackFixture("folder_path")
        let made = try live.backup(.uncompressed)
        #expect(try Catalogue(live.folder).adopt(made.path) == made.name)
        let away = live.root.path.appending("it's away")
        try Directory.rename(made.path, to: away)
        let error = #expect(throws: BackupError.self) { try Catalogue(live.folder).adopt(away) }
        #expect(error?.errorCode == "folder-elsewhere")
        #expect(
            error?.explanation.english.contains("cp -a \(away.string.shellQuoted) '\(live.folder.path)'") == true,
            "\(String(describing: error))")
    }

    @Test func everyRowOfEveryBackupHasItsFileWhileAWriterNeverStops() throws {
        let live = try LiveStackFixture("writer")
        let stop = Cancellation()
        let writer = try WorkerThread("writer") {
            var number = 1000
            while !stop.isCancelled {
                do { try live.add(runs: number...number) } catch { Issue.record(error) }
                number += 1
            }
        }
        var names: [String] = []
        for _ in 0..<5 { names.append(try live.backup().name.string) }
        stop.cancel()
        writer.join()
        for name in names {
            try live.restore(name, force: true)
            for row in try Connection(live.database).rows("select run_uuid from runs") {
                let file = live.artifacts.appending("1/\(try row.string("run_uuid"))/artifacts/model.bin")
                #expect(try FileStatus.ifPresent(file) != nil, "\(file) is missing in \(name)")
            }
        }
    }
}
