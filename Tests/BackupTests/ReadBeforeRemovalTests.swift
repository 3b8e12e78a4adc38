// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "What is due to be read is read before anything goes, and two good copies are there again by the next night",
    .besideThePool)
struct ReadBeforeRemovalTests {
    /// An independent backup, with one run more than the last. It reads no old copies.
    private func whole(_ live: LiveStackFixture, run: Int) throws -> BackupName {
        try live.add(runs: run...run)
        try live.letStampsAge()
        let options = BackupJob.Options(retention: .count(100), fullEvery: 1, scrubSeconds: 0)
        return try BackupJob(live.workspace(), options: options, version: "test").run().name
    }

    /// Good ones in the folder, one of each chain.
    private func goodCopies(_ live: LiveStackFixture) throws -> Int {
        let items = try Catalogue(live.folder).items()
        let chains = Chains(items)
        return Set(items.filter { $0.status == .completed }.map { chains.chain(of: $0) }).count
    }

    @Test("a good old copy stays where the reading of the same night finds that the one after it is damaged")
    func scrubFirst() throws {
        let live = try LiveStackFixture("read_first")
        let first = try live.age(whole(live, run: 41), days: 8, readDaysAgo: 1)
        let second = try live.age(whole(live, run: 42), days: 7, readDaysAgo: 7)
        // Not so long ago that retention has to read it, and long enough that it is due.
        var sidecar = try live.sidecar(second)
        sidecar.verifiedAt += 43_200
        try sidecar.write(in: live.folder)
        try live.damage(second)
        let third = try live.age(whole(live, run: 43), days: 1)
        let outcome = try live.backup(retention: .days(3))
        #expect(try live.item(second).status == .corrupt)
        #expect(outcome.warnings.contains { $0.english.contains(second.string) })
        #expect(try live.names().contains(first.string), "it is the second good copy")
        #expect(try live.item(third).status == .completed)
        #expect(try goodCopies(live) >= 2)
    }

    @Test("damage that leaves one good copy makes a whole new one in the same run")
    func wholeInTheSameRun() throws {
        let live = try LiveStackFixture("read_whole")
        let first = try live.age(whole(live, run: 41), days: 8)
        let second = try live.age(whole(live, run: 42), days: 1)
        try live.damage(first)
        let outcome = try live.backup(retention: .count(100))
        #expect(try live.item(first).status == .corrupt)
        #expect(try live.inode(outcome.name) != live.inode(second))
        #expect(outcome.sharing.generation == 0)
        #expect(try goodCopies(live) == 2)
    }

    @Test(
        "cancelled while the whole one is made: the one that is published and good stands, and is told with what failed"
    )
    func cancelledWhole() throws {
        let live = try LiveStackFixture("read_cancelled")
        let first = try live.age(whole(live, run: 41), days: 8)
        let second = try live.age(whole(live, run: 42), days: 1)
        try live.damage(first)
        let cancellation = Cancellation()
        let isSecond = Monitor(false)
        let outcome = try live.backup(retention: .count(100), cancellation: cancellation) { step in
            if step.phase == .verifying { isSecond.withLock { $0 = true } }
            if step.phase == .dumping, isSecond.withLock({ $0 }) { cancellation.cancel() }
        }
        #expect(cancellation.isCancelled && !outcome.warnings.isEmpty)
        #expect(try Set(live.names()) == [first.string, second.string, outcome.name.string])
        #expect(try live.item(outcome.name).status == .completed)
        let told = outcome.warnings.filter { $0.english.contains("A whole new backup could not be made") }
        #expect(told.count == 1, "\(outcome.warnings.map(\.english))")
        #expect(try Directory.names(in: live.folder.staging).isEmpty)
    }

    @Test("cancelled between two removals: what was removed is told, and the rest stays")
    func cancelledRemoval() throws {
        let live = try LiveStackFixture("read_removal")
        for run in 41...44 { try live.age(whole(live, run: run), days: Int64(50 - run), readDaysAgo: 0) }
        let cancellation = Cancellation()
        cancellation.cancel()
        let identity = try StackIdentity(of: live.stack, on: Databases(live.database))
        let outcome = try Retention(live.folder, of: identity, log: .silent, cancellation: cancellation).apply(
            .count(2))
        #expect(outcome.removed.isEmpty && !outcome.isComplete)
        #expect(outcome.warnings.contains { $0.english.contains("another time") }, "\(outcome.warnings.map(\.english))")
        #expect(try live.names().count == 4)
    }

    @Test(
        "nothing is taken over while a damaged one lies there beside one good copy; it is told, and ends with the second"
    )
    func nothingTakenOver() throws {
        let live = try LiveStackFixture("read_base")
        let first = try whole(live, run: 41)
        let second = try whole(live, run: 42)
        try live.damage(first)
        #expect(throws: ArchiveError.self) { try VerifyJob(live.workspace()).run(first.string) }
        let outcome = try live.backup(retention: .count(100))
        #expect(outcome.sharing.generation == 0)
        #expect(try live.inode(outcome.name) != live.inode(second))
        #expect(outcome.warnings.contains { $0.english.contains(first.string) && $0.english.contains("damaged") })
        #expect(outcome.warnings.contains { $0.chinese.contains(first.string) })
        let next = try live.backup(retention: .count(100))
        #expect(next.sharing.generation > 0, "there are two now")
        #expect(next.warnings.isEmpty, "\(next.warnings.map(\.english))")
    }

    @Test("one that may share its bytes with any other is no second copy: the damage of that is made up for")
    func unknownIsNoCopy() throws {
        let live = try LiveStackFixture("read_unknown")
        let names = try (41...43).map { try whole(live, run: $0) }
        var sidecar = try live.sidecar(names[1])
        sidecar.chain = Chains.unknown
        try sidecar.write(in: live.folder)
        try live.damage(names[2])
        #expect(throws: ArchiveError.self) { try VerifyJob(live.workspace()).run(names[2].string) }
        let outcome = try live.backup(retention: .count(100))
        #expect(outcome.sharing.generation == 0)
        #expect(outcome.warnings.contains { $0.english.contains(names[2].string) && $0.english.contains("damaged") })
        let next = try live.backup(retention: .count(100))
        #expect(next.sharing.generation > 0, "there are two now")
    }

    @Test("a folder that was copied elsewhere was read by nobody there: what stays is read before anything goes")
    func copiedFolder() throws {
        let live = try LiveStackFixture("read_copied")
        let names = try (41...43).map { try whole(live, run: $0) }
        let copy = BackupFolder(live.root.path.appending("copied"))
        try Shell.sh("cp -a '\(live.folder.path)' '\(copy.path)'")
        for item in try Catalogue(live.folder).items() { #expect(item.lastRead(.now()) != nil, "\(item.name)") }
        for item in try Catalogue(copy).items() { #expect(item.lastRead(.now()) == nil, "\(item.name)") }
        // What the copying lost.
        for name in names[1...] {
            let path = copy.path.appending(name.string)
            let stamp = try Shell.sh("stat -c %y '\(path)'")
            try Shell.invertByte(of: path, at: 5000)
            try Shell.sh("touch -d '\(stamp)' '\(path)'")
        }
        let there = Workspace(live.stack, copy, log: .silent)
        let outcome = try PruneJob(there, rule: .count(2)).run()
        #expect(outcome.removed.isEmpty)
        #expect(outcome.damaged == [names[2]], "nothing is to go any more then")
        #expect(try Catalogue(copy).item(named: names[0].string).status == .completed)
    }

    @Test("a reading is one of the file that was read, and not of another under its name")
    func readingOfAFile() throws {
        let live = try LiveStackFixture("read_file")
        for kind in BackupName.Kind.all {
            let name = try live.backup(kind).name
            let path = live.folder.path.appending(name.string)
            #expect(try live.item(name).lastRead(.now()) != nil)
            try Shell.sh(
                "cd '\(live.folder.path)' && { ln -T \(name) x.\(kind) 2>&1 || true; }; mv \(name) y && mv y \(name)")
            // What a person does to the names of an archive could have been done to its bytes: it is read once more.
            #expect(try (live.item(name).lastRead(.now()) != nil) == (kind == .uncompressed), "\(kind)")
            _ = try VerifyJob(live.workspace()).run(name.string)
            #expect(try live.item(name).lastRead(.now()) != nil, "\(kind)")
            try Shell.sh("cp -a '\(path)' '\(path)~' && rm -rf '\(path)' && mv '\(path)~' '\(path)'")
            #expect(try live.item(name).lastRead(.now()) == nil, "\(kind)")
            _ = try VerifyJob(live.workspace()).run(name.string)
            #expect(try live.item(name).lastRead(.now()) != nil, "\(kind)")
            var sidecar = try live.sidecar(name)
            sidecar.readFile = nil
            try sidecar.write(in: live.folder)
            #expect(try live.item(name).lastRead(.now()) == nil, "as one of 0.1.0")
            sidecar.readFile = FileMark.brief(path, try .of(path))
            try sidecar.write(in: live.folder)
            let read = try live.item(name)
            #expect(read.lastRead(.now()) != nil, "as one before the last change was noted")
            #expect(read.lastReadLookingInside(.now()) != nil)
            sleep(1)
        }
    }

    @Test(
        "a backup of ours whose sidecar is lost is told of, read the same night, kept, and made up for",
        arguments: [true, false])
    func lostSidecar(gone: Bool) throws {
        let live = try LiveStackFixture("read_lost_\(gone)")
        let names = try (41...42).map { try whole(live, run: $0) }
        let path = live.folder.path.appending(names[0].sidecar)
        try Shell.sh(gone ? "rm '\(path)'" : "sed -i 's/\"size\" : [0-9]*/\"size\" : 7/' '\(path)'")
        let outcome = try live.backup(retention: .count(100))
        #expect(outcome.warnings.contains { $0.english.contains(names[0].string) && $0.english.contains("sidecar") })
        #expect(outcome.warnings.contains { $0.chinese.contains(names[0].string) })
        #expect(outcome.sharing.generation == 0, "there was one good copy")
        let item = try live.item(names[0])
        #expect(item.status == .completed && item.lastRead(.now()) != nil)
        #expect(item.sidecar?.adopted == gone)
        let next = try live.backup(retention: .count(100))
        #expect(next.warnings.isEmpty, "\(next.warnings.map(\.english))")
        #expect(next.sharing.generation > 0)
        _ = try live.backup(retention: .count(1))
        #expect(try live.names().contains(names[0].string) == gone, "what nobody vouched for is nobody's to remove")
    }

    @Test(
        "an archive of another stack, or of nobody, that a person put here is not told of, nor read by night"
    )
    func droppedIn() throws {
        let other = try LiveStackFixture("read_other")
        let theirs = try other.backup().name
        let live = try LiveStackFixture("read_dropped")
        try Shell.sh(
            "cp '\(other.folder.path)/\(theirs)' '\(live.folder.path)/theirs.tar.gz'; echo x > '\(live.folder.path)/x.tar.gz'"
        )
        #expect(try !live.backup().warnings.contains { $0.english.contains("sidecar") })
        for name in ["theirs.tar.gz", "x.tar.gz"] {
            #expect(try Catalogue(live.folder).item(named: name).status == .unverified)
        }
    }

    @Test("who keeps one backup gets no second one for it")
    func keepsOne() throws {
        let live = try LiveStackFixture("read_one")
        let first = try whole(live, run: 41)
        let second = try whole(live, run: 42)
        try live.damage(first)
        #expect(throws: ArchiveError.self) { try VerifyJob(live.workspace()).run(first.string) }
        let outcome = try live.backup(retention: .count(1))
        #expect(outcome.sharing.generation == 1)
        #expect(try !live.names().contains(second.string))
    }

    @Test("another name of an archive says of which, and when that was read; one that was read says so")
    func unchanged() throws {
        let live = try LiveStackFixture("read_unchanged")
        try live.letStampsAge()
        let made = try live.backup(retention: .count(100))
        #expect(made.unchanged == nil)
        let first = try live.age(made.name, days: 3)
        let read = try live.sidecar(first).verifiedAt
        let same = try live.backup(retention: .count(100))
        #expect(try live.inode(same.name) == live.inode(first))
        #expect(same.unchanged == .init(since: first, lastRead: LocalTime(epoch: read)))
        // Long ago: it is due, and this run reads it.
        for name in [first, same.name] {
            var sidecar = try live.sidecar(name)
            sidecar.verifiedAt -= 8 * 86_400
            try sidecar.write(in: live.folder)
        }
        let reread = try live.backup(retention: .count(100))
        #expect(try live.inode(reread.name) == live.inode(first))
        #expect(reread.unchanged == nil, "it was read in this run")
    }
}
