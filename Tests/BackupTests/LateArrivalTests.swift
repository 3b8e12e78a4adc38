// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// What clients do while a restore swaps: nothing that they were told is stored is lost.
@Suite("During the swap of a restore", .besideThePool)
struct LateArrivalTests {
    @Test("a file that arrives in the old tree is carried over, and one whose path is taken is kept and named")
    func uploads() throws {
        let live = try LiveStackFixture("late_files")
        let name = try live.backup().name.string
        try Shell.sh("echo other > '\(live.artifacts)/1/run4/artifacts/model.bin'")
        try live.interruptRestore(of: name, swappingDatabases: true)
        // MLflow goes on with the new database, and its files still go into the old tree.
        try Shell.sh(
            """
            mkdir -p '\(live.artifacts)/1/new/artifacts' && echo new > '\(live.artifacts)/1/new/artifacts/f'
            cp -p /etc/passwd '\(live.artifacts)/1/new/artifacts/old-time' 
            echo later > '\(live.artifacts)/1/run4/artifacts/model.bin'
            """)
        #expect(try live.recover() == .finished(backup: name, task: nil))
        #expect(try Shell.sh("cat '\(live.artifacts)/1/new/artifacts/f'") == "new\n")
        #expect(try Shell.sh("cmp /etc/passwd '\(live.artifacts)/1/new/artifacts/old-time'") == "")
        let kept = try #require(try KeptParts(live.stack, live.folder).all().first)
        #expect(kept.carried.sorted() == ["1/new/artifacts/f", "1/new/artifacts/old-time"])
        #expect(kept.aside == ["1/run4/artifacts/model.bin"])
        let aside = KeptParts(live.stack, live.folder).tree(of: kept).appending("1/run4/artifacts/model.bin")
        #expect(try Shell.sh("cat '\(aside)'") == "later\n")
        try live.expectNothingLeftBehind()
    }

    @Test("a file directly in the folder that is replaced by one with an old time is kept and named, no other is")
    func atTheTop() throws {
        let live = try LiveStackFixture("late_top")
        let top = live.artifacts.appending("top")
        try Shell.sh("echo one > '\(top)'; cp -p '\(top)' '\(live.artifacts)/other'")
        let name = try live.backup().name.string
        try Shell.sh("echo gone > '\(live.artifacts)/gone'")
        try live.interruptRestore(of: name, swappingDatabases: true)
        try Shell.sh("rm '\(top)'; cp -p /etc/passwd '\(top)'")
        #expect(try live.recover() == .finished(backup: name, task: nil))
        let kept = try #require(try KeptParts(live.stack, live.folder).all().first)
        #expect(kept.aside == ["top"])
        #expect(kept.carried == [])
        try live.expectNothingLeftBehind()
    }

    /// C12: the new database counts its experiments on from what the backup had, and the old tree has that number, too.
    @Test("an experiment that gets the number of one in the old tree keeps its files, and so does the old one")
    func sameNumber() throws {
        let live = try LiveStackFixture("late_number")
        let name = try live.backup().name.string
        try Shell.sh("mkdir -p '\(live.artifacts)/2/a' && echo old > '\(live.artifacts)/2/a/f'")
        let journal = try live.interruptRestore(of: name, swappingDatabases: true)
        // The recovery moves the old one away, and is killed; MLflow makes its own.
        try journal.swap.forward(try #require(journal.plan))
        try Shell.sh("mkdir -p '\(live.artifacts)/2/b' && echo new > '\(live.artifacts)/2/b/f'")
        #expect(try live.recover() == .finished(backup: name, task: nil))
        #expect(try Shell.sh("cd '\(live.artifacts)' && find 2 -type f") == "2/b/f\n")
        let kept = try #require(try KeptParts(live.stack, live.folder).all().first)
        #expect(try Shell.sh("cat '\(KeptParts(live.stack, live.folder).tree(of: kept))/2/a/f'") == "old\n")
        try live.expectNothingLeftBehind()
        #expect(try live.recover() == .nothingToDo)
    }

    @Test("a file that arrived in a restored folder comes along when the swap is taken back")
    func backwards() throws {
        let live = try LiveStackFixture("late_back")
        let name = try live.backup().name.string
        try Connection(live.database).execute("delete from metrics")
        let rows = try live.rows()
        let journal = try live.interruptRestore(of: name)
        try journal.swap.forward(try #require(journal.plan))
        try Shell.sh("mkdir -p '\(live.artifacts)/1/new' && echo new > '\(live.artifacts)/1/new/f'")
        #expect(try live.recover() == .undone(backup: name, task: nil))
        #expect(try live.rows() == rows)
        #expect(try Shell.sh("cat '\(live.artifacts)/1/new/f'") == "new\n")
        try live.expectNothingLeftBehind()
    }

    @Test(
        "a row that a client commits before the last comparison stops the restore, and one that waits is not acknowledged"
    )
    func writers() throws {
        let live = try LiveStackFixture("late_rows")
        let name = try live.backup().name.string
        for force in [false, true] {
            let acknowledged = Monitor<[Int]>([])
            let stop = Monitor(false)
            let database = live.database
            let writer = try WorkerThread("writer") {
                var number = force ? 10_000 : 1_000
                while !stop.withLock({ $0 }) {
                    guard let session = try? Connection(database) else { continue }
                    while !stop.withLock({ $0 }) {
                        number += 1
                        let run = "late\(number)"
                        guard (try? session.execute("insert into runs values (\(run), 1799999999999, 1)")) != nil else {
                            break
                        }
                        acknowledged.withLock { [number] in $0.append(number) }
                    }
                }
            }
            let outcome = Result { try live.restore(name, force: force) }
            stop.withLock { $0 = true }
            writer.join()
            var known = try live.rows()
            if force {
                let kept = try #require(try outcome.get().kept?.database)
                let rows = try Connection(database.naming(database: kept)).rows("select run_uuid from runs")
                known += try rows.map { try $0.string(0) + "," }.joined()
                #expect(try outcome.get().replaced.total > 0)
            } else {
                #expect(throws: BackupError.self) { try outcome.get() }
            }
            let numbers = acknowledged.withLock { $0 }
            #expect(numbers.count > 20)
            #expect(numbers.filter { !known.contains("late\($0),") } == [])
        }
        try live.expectNothingLeftBehind()
    }
}
