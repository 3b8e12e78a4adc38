// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite(
    "What was put over a backup in place was read by nobody, and what we do to its names changes nothing",
    .besideThePool)
struct FileMarkTests {
    private func whole(
        _ live: LiveStackFixture, _ kind: BackupName.Kind = .compressed, run: Int
    ) throws -> BackupName {
        try live.add(runs: run...run)
        try live.letStampsAge()
        let options = BackupJob.Options(kind: kind, retention: .count(100), fullEvery: 1, scrubSeconds: 0)
        return try BackupJob(live.workspace(), options: options, version: "test").run().name
    }

    private func isRead(_ live: LiveStackFixture, _ name: BackupName) throws -> Bool {
        try live.item(name).lastRead(.now()) != nil
    }

    /// What a copy elsewhere has become, put over the backup as `cp -p` and `rsync --inplace` do: inode, birth, size and
    /// times of the bytes are as before.
    private func putOver(_ live: LiveStackFixture, _ name: BackupName) throws {
        let path = live.folder.path.appending(name.string)
        try Shell.sh(
            """
            cp -p '\(path)' '\(live.root.path)/offsite'
            t=$(stat -c %y '\(path)')
            printf xyz | dd of='\(live.root.path)/offsite' bs=1 seek=5000 conv=notrunc status=none
            touch -d "$t" '\(live.root.path)/offsite'
            cp -p '\(live.root.path)/offsite' '\(path)'
            """)
    }

    @Test("an archive that was put over in place is read before anything goes, and nothing goes for it")
    func putOverArchive() throws {
        let live = try LiveStackFixture("mark_over")
        let names = try (41...43).map { try whole(live, run: $0) }
        for name in names { #expect(try isRead(live, name)) }
        for name in names[1...] { try putOver(live, name) }
        #expect(try !isRead(live, names[2]))
        let outcome = try PruneJob(live.workspace(), rule: .count(2)).run()
        #expect(outcome.removed.isEmpty)
        #expect(try live.item(names[0]).status == .completed)
        #expect(try live.item(names[2]).status == .corrupt)
    }

    @Test("it is read the same night, too")
    func putOverByNight() throws {
        let live = try LiveStackFixture("mark_night")
        let name = try whole(live, run: 41)
        try putOver(live, name)
        _ = try live.backup(retention: .count(10))
        #expect(try live.item(name).status == .corrupt)
    }

    @Test("a further name for an unchanged backup, and the removal of one, leave every reading as it was")
    func ownNames() throws {
        let live = try LiveStackFixture("mark_names")
        try live.letStampsAge()
        let names = try (0..<4).map { _ in try live.backup(retention: .count(10)).name }
        #expect(try Set(names.map(live.inode)).count == 1)
        for name in names { #expect(try isRead(live, name), "\(name)") }
        _ = try DeleteJob(live.workspace()).run(names[1].string)
        for name in names where name != names[1] { #expect(try isRead(live, name), "\(name)") }
        _ = try PruneJob(live.workspace(), rule: .count(2)).run()
        #expect(try live.names().count == 2)
        for name in names[2...] { #expect(try isRead(live, name), "\(name)") }
    }

    @Test("a further name of one that was put over before is no reading of it, nor is the removal of one")
    func namesOfPutOver() throws {
        let live = try LiveStackFixture("mark_names_over")
        try live.letStampsAge()
        let options = BackupJob.Options(retention: .count(100), scrubSeconds: 0)
        func night() throws -> BackupName {
            try BackupJob(live.workspace(), options: options, version: "test").run().name
        }
        let first = try night()
        // The same bytes once more, which nobody knows before they are read.
        let path = live.folder.path.appending(first.string)
        try Shell.sh("cp -p '\(path)' '\(live.root.path)/o' && cp -p '\(live.root.path)/o' '\(path)'")
        let names = [first, try night(), try night()]
        #expect(try Set(names.map(live.inode)).count == 1)
        for name in names { #expect(try !isRead(live, name), "\(name)") }
        _ = try DeleteJob(live.workspace()).run(names[1].string)
        for name in [names[0], names[2]] { #expect(try !isRead(live, name), "\(name)") }
        _ = try VerifyJob(live.workspace()).run(names[0].string)
        for name in [names[0], names[2]] { #expect(try isRead(live, name), "\(name)") }
    }

    @Test("a file inside a folder that was put over is noticed before anything goes, and by night")
    func putOverFolder() throws {
        for byNight in [false, true] {
            let live = try LiveStackFixture("mark_folder_\(byNight)")
            let names = try (41...43).map { try whole(live, .uncompressed, run: $0) }
            for name in names[1...] {
                try Shell.sh(
                    "printf x | dd of='\(live.folder.path)/\(name)/artifacts/1/run7/artifacts/model.bin' bs=1 seek=99 conv=notrunc status=none"
                )
            }
            if byNight {
                _ = try live.backup(retention: .count(100))
                #expect(try live.item(names[1]).status == .corrupt)
            } else {
                #expect(try PruneJob(live.workspace(), rule: .count(2)).run().removed.isEmpty)
            }
            #expect(try live.item(names[0]).status == .completed)
            #expect(try live.item(names[2]).status == .corrupt)
        }
    }
}
