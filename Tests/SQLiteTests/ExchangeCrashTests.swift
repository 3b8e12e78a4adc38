// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SQLite
import SystemIO
import TestSupport
import Testing

/// What a child of the test is told: this very program once more, which runs one test (`ExchangeChild`) and is killed in it.
private enum Child {
    static let variable = "MLFLOW_EXCHANGE_CHILD"

    /// - Parameter fate: microseconds after which it is killed, or none.
    static func run(_ live: FilePath, _ restored: FilePath, _ number: UInt32, fate: UInt32?) throws
        -> ChildProcess.Outcome
    {
        var environment = ProcessInfo.processInfo.environment.filter {
            ["LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"].contains($0.key)
        }
        environment[variable] = [live.string, restored.string, "\(number)", "\(fate ?? 0)"]
            .joined(separator: "\n")
        return try ChildProcess(
            FilePath("/proc/self/exe").resolved(),
            ["--testing-library", "swift-testing", "--filter", "ExchangeChild"], environment: environment
        ).run()
    }
}

@Suite("A child of the tests")
struct ExchangeChild {
    @Test(.enabled(if: ProcessInfo.processInfo.environment[Child.variable] != nil))
    func work() throws {
        let told = try #require(ProcessInfo.processInfo.environment[Child.variable]).components(separatedBy: "\n")
        let number = try #require(UInt32(told[2]))
        let microseconds = try #require(UInt32(told[3]))
        let exchange = Exchange(
            in: try LiveDatabase(FilePath(told[0])), of: FilePath(told[1]), as: .init(number))
        _ = try exchange.run { _ in
            guard microseconds > 0 else { return }
            // The clock of its death begins when it begins to change something.
            _ = try WorkerThread("fate") {
                usleep(microseconds)
                kill(getpid(), SIGKILL)
            }
        }
    }
}

@Suite("An exchange of databases that is killed", .besideThePool, .serialized)
struct ExchangeCrashTests {
    @Test("leaves the old content or the new one, and its number says which", arguments: [false, true])
    func killed(wal: Bool) throws {
        let folder = try TemporaryFolder("killed")
        let (live, new) = (try Content.mlflow("old", in: folder, wal: wal), try Content.mlflow("new", in: folder))
        for file in [live, new] {
            try Content.sqlite(
                file,
                "CREATE TABLE bulk (a INTEGER PRIMARY KEY, b BLOB);; INSERT INTO bulk (b) WITH RECURSIVE c(n) AS (SELECT 1 "
                    + "UNION ALL SELECT n + 1 FROM c WHERE n < 20) SELECT randomblob(1 << 20) FROM c")
        }
        let old = folder.path.appending("kept.db")
        _ = try OnlineCopy(of: LiveDatabase(live)).write(to: old)
        let digests = [try Content.digest(old), try Content.digest(new)]
        let start = MonotonicTime.nanoseconds()
        #expect(try Child.run(live, new, 1, fate: nil).succeeded)
        let whole = MonotonicTime.seconds(since: start)
        #expect(try Content.digest(live) == digests[1])

        // Of the two contents the one that is there, under which number, and how often it was found old and new.
        var (side, current, found) = (1, UInt32(1), [0, 0])
        let deaths: UInt32 = 16
        for death in 1...deaths {
            let (toward, next) = (1 - side, death + 1)
            let fate = UInt32(whole * 1_000_000 * Double(death) / Double(deaths) * 0.9) + 1
            let outcome = try Child.run(live, [old, new][toward], next, fate: fate)
            #expect(outcome.exit == .signal(SIGKILL) || outcome.succeeded, "\(outcome)")
            // Another process is the first to see it, and puts right what there is to be put right.
            let digest = try Content.digest(live)
            let number = try #require(try ContentNumber.read(LiveDatabase(live).connection)).value
            found[number == next ? 1 : 0] += 1
            if number == next { (side, current) = (toward, next) }
            #expect(number == current)
            #expect(digest == digests[side], "death \(death) after \(fate) µs")
        }
        // Both were seen, or it was killed at no telling moment.
        #expect(found[0] > 0 && found[1] > 0, "\(found)")
        // What was begun is finished by whoever comes next.
        let database = try LiveDatabase(live)
        _ = try Exchange(in: database, of: new, as: .init(100)).run()
        #expect(try Content.digest(live) == digests[1])
    }
}
