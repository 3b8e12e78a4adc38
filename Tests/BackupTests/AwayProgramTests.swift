// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("The real program, whose artifacts folder goes away in the middle of a swap", .besideThePool)
struct AwayProgramTests {
    struct Moment: Sendable, CustomTestStringConvertible {
        /// Which exchange of two names, and whether the folder goes right before it or right after it.
        let exchange: Int
        let isAfter: Bool
        var testDescription: String { "\(isAfter ? "after" : "before") exchange \(exchange)" }

        static let all = [
            Moment(exchange: 1, isAfter: false), Moment(exchange: 1, isAfter: true),
            Moment(exchange: 2, isAfter: false), Moment(exchange: 2, isAfter: true),
        ]
    }

    /// Where the folder is while it is away, and what is in its place.
    enum Place: String, CaseIterable { case nothing, emptyFolder }

    @Test(
        "a restore: it fails and says what to do, and recover finishes it when the folder is back",
        arguments: TestForm.oneIn(2, of: Moment.all, with: Place.allCases))
    func restore(at moment: Moment, place: Place) throws {
        let live = try prepared("away_restore")
        let backup = try live.backup().name.string
        let (rows, files) = (try live.rows(), try live.files())
        try Shell.sh("for i in 1 2 3; do echo newer > '\(live.artifacts)'/$i/state; done")
        try live.add(runs: 50...50)
        let newer = try live.files()
        try run(["restore", "--force", "--no-backup", backup], live, moment, place)
        try expectFinished(live, backup)
        #expect(try live.rows() == rows)
        #expect(try live.files() == files)
        try live.expectNothingLeftBehind()
        try live.undo(force: true)
        #expect(try live.files() == newer)
    }

    @Test("a restore of the artifacts alone is not said to be done", arguments: TestForm.oneIn(3, of: Moment.all))
    func artifacts(at moment: Moment) throws {
        let live = try prepared("away_artifacts")
        let backup = try live.backup().name.string
        let files = try live.files()
        try Shell.sh("for i in 1 2 3; do echo newer > '\(live.artifacts)'/$i/state; done")
        let newer = try live.files()
        try run(["restore", "--artifacts", "--force", "--no-backup", backup], live, moment, .nothing)
        try expectFinished(live, backup)
        #expect(try live.files() == files)
        try live.undo(force: true)
        #expect(try live.files() == newer)
        try live.expectNothingLeftBehind()
    }

    @Test("an undo: the same", arguments: TestForm.oneIn(3, of: Moment.all))
    func undo(at moment: Moment) throws {
        let live = try prepared("away_undo")
        let backup = try live.backup().name.string
        let restored = try live.files()
        try Shell.sh("for i in 1 2 3; do echo newer > '\(live.artifacts)'/$i/state; done")
        let newer = try live.files()
        try live.restore(backup, force: true)
        try run(["restore", "--undo", "--force", "--no-backup"], live, moment, .nothing)
        try expectFinished(live, backup)
        #expect(try live.files() == newer)
        try live.expectNothingLeftBehind()
        try live.undo(force: true)
        #expect(try live.files() == restored)
    }

    private func prepared(_ name: String) throws -> LiveStackFixture {
        let live = try LiveStackFixture(name)
        try Shell.sh("cd '\(live.artifacts)' && for i in 1 2 3; do mkdir -p $i; echo one > $i/state; done")
        return live
    }

    private func expectFinished(_ live: LiveStackFixture, _ backup: String) throws {
        let outcome = try live.recover()
        guard case .finished(backup, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    /// Runs the program until its end, which is a failure that asks for a recovery; then the folder comes back.
    private func run(_ arguments: [String], _ live: LiveStackFixture, _ moment: Moment, _ place: Place) throws {
        let given = ProcessInfo.processInfo.environment["MLFLOW_BACKUP_BINARY"] ?? ""
        try #require(!given.isEmpty, "MLFLOW_BACKUP_BINARY is not set: run scripts/test")
        let (library, source) = (live.root.path.appending("away.so"), live.root.path.appending("away.c"))
        try DurableFile.replace(source, with: Array(Self.source.utf8))
        try Shell.sh("cc -shared -fPIC -O1 -o '\(library)' '\(source)' -ldl")
        let aside = live.root.path.appending("aside")
        let outcome = try ChildProcess(
            FilePath(given), arguments,
            environment: live.environment([
                "LD_PRELOAD": library.string, "AWAY_AT": "\(moment.exchange)",
                "AWAY_AFTER": moment.isAfter ? "1" : "0", "AWAY_FROM": live.artifacts.string,
                "AWAY_TO": aside.string, "AWAY_EMPTY": place == .emptyFolder ? "1" : "0",
            ])
        ).run()
        try #require(try FileStatus.ifPresent(aside) != nil, "it went away")
        #expect(outcome.exit != .code(0))
        #expect(outcome.errors.contains("mount") && outcome.errors.contains("recover"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("what it was before"), "\(outcome.errors)")
        #expect(try RestoreJournal.isPresent(live.stack, live.folder))
        let made = try FileStatus.ifPresent(live.artifacts) == nil ? [] : Directory.names(in: live.artifacts)
        #expect(made.isEmpty, "nothing is made in its place")
        try Directory.removeTree(live.artifacts)
        try Directory.rename(aside, to: live.artifacts)
    }

    /// Before or after the exchange of two names that is asked for, the folder is renamed away. What the file system can do is tried
    /// by exchanges, too, long before: they do not count.
    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/stat.h>

        static int number;
        static void leave(void) {
            static int (*move)(const char *, const char *);
            if (!move) move = dlsym(RTLD_NEXT, "rename");
            move(getenv("AWAY_FROM"), getenv("AWAY_TO"));
            if (atoi(getenv("AWAY_EMPTY"))) mkdir(getenv("AWAY_FROM"), 0755);
        }
        int renameat2(int from, const char *one, int to, const char *other, unsigned flags) {
            static int (*real)(int, const char *, int, const char *, unsigned);
            if (!real) real = dlsym(RTLD_NEXT, "renameat2");
            int isProbe = strstr(one, "/probe-") != 0, isAfter = atoi(getenv("AWAY_AFTER"));
            int isMeant = flags == 2 && !isProbe && ++number == atoi(getenv("AWAY_AT"));
            if (isMeant && !isAfter) leave();
            int result = real(from, one, to, other, flags);
            if (isMeant && isAfter) leave();
            return result;
        }
        """
}
