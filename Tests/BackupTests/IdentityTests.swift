// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Backups, journals and locks belong to one stack", .besideThePool)
struct IdentityTests {
    /// Another stack that works in the folder of the first.
    private func neighbour(_ live: LiveStackFixture, _ name: String) throws -> (LiveStackFixture, Workspace) {
        let other = try LiveStackFixture(name)
        return (other, Workspace(other.stack, live.folder, log: .silent))
    }

    @Test("C16: two stacks in one folder never settle, re-use or prune each other's")
    func oneFolder() throws {
        let live = try LiveStackFixture("whose_a")
        let only = try live.backup().name.string
        let (other, workspace) = try neighbour(live, "whose_b")
        // The first one is killed before its rename.
        try live.interruptRestore(of: only)
        let (rows, files) = (try other.rows(), try other.files())
        sleep(1)
        for attempt in 1...2 {
            let made = try BackupJob(workspace, options: .init(retention: .count(1)), version: "test").run()
            #expect(made.manifest.stack?.database == other.database.database)
            // The only archive that was there for the first one is the other stack's.
            if attempt == 1 { #expect(made.sharing.copied + made.sharing.cloned == 0) }
            sleep(1)
        }
        #expect(try live.names().contains(only))
        #expect(try other.rows() == rows)
        #expect(try other.files() == files)
        #expect(RecoverJob(live.workspace()).isNeeded, "it is the first one's to settle")
        #expect(try live.recover() == .undone(backup: only, task: nil))
        try live.expectNothingLeftBehind()
    }

    @Test("C17: a backup waits for a restore of the same stack from another folder, and the other way round")
    func twoFolders() throws {
        let live = try LiveStackFixture("whose_folders")
        let name = try live.backup().name.string
        let second = BackupFolder(live.root.path.appending("second"))
        func impatient(_ folder: BackupFolder) -> Workspace {
            var workspace = Workspace(live.stack, folder, log: .silent)
            workspace.waitSeconds = 0.5
            return workspace
        }
        let tries: [(holder: BackupFolder, purpose: String, body: () throws -> Void)] = [
            (
                live.folder, "restore of something",
                { _ = try BackupJob(impatient(second), options: .init(), version: "test").run() }
            ),
            (
                second, "backup",
                { _ = try RestoreJob(impatient(live.folder), options: .init(mode: .full, force: true)).run(name) }
            ),
        ]
        for (folder, purpose, body) in tries {
            let hold = try Workspace(live.stack, folder, log: .silent).hold(purpose)
            let error = #expect(throws: BackupError.self, performing: body)
            guard case .busy(let holder)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(holder.contains(purpose), "\(holder)")
            withExtendedLifetime(hold) {}
        }
        // Once it is free, who waits goes on.
        let hold = try live.workspace().hold("restore of something")
        let waiting = try WorkerThread("waiting backup") {
            do {
                _ = try BackupJob(Workspace(live.stack, second, log: .silent), options: .init(), version: "test").run()
            } catch {
                Issue.record(error)
            }
        }
        usleep(300_000)
        #expect(try Catalogue(second).items().isEmpty)
        withExtendedLifetime(hold) {}
        _ = consume hold
        waiting.join()
        #expect(try Catalogue(second).items().count == 1)
    }

    @Test("C20: a folder that was used before and is gone or empty is refused, until a person says that it is right")
    func vanishedFolder() throws {
        let live = try LiveStackFixture("whose_gone")
        try live.backup()
        let hidden = live.root.path.appending("hidden")
        try Directory.rename(live.folder.path, to: hidden)
        #expect(throws: BackupError.folderVanished(path: live.folder.path.string)) { try live.backup() }
        #expect(try FileStatus.ifPresent(live.folder.path) == nil, "not made silently")
        try Directory.make(live.folder.path)
        #expect(throws: BackupError.folderVanished(path: live.folder.path.string)) { try live.backup() }
        try Directory.removeTree(live.folder.path)
        try Directory.rename(hidden, to: live.folder.path)
        try live.backup()
        #expect(try live.names().count == 2)
        // The backups describe themselves: without the state beside them they are there all the same.
        try Directory.removeTree(live.folder.state)
        try live.backup()
        #expect(try live.names().count == 3)
        try Directory.removeTree(live.folder.path)
        #expect(try ClaimJob(live.workspace()).run().stacks.isEmpty)
        try live.backup()
    }

    @Test("a new cluster takes backups over by a restore, and lets them go only much later or when a person says so")
    func disaster() throws {
        let live = try LiveStackFixture("whose_lost")
        let name = try live.backup().name.string
        let (reborn, workspace) = try neighbour(live, "whose_reborn")
        try Connection(reborn.database).execute("delete from metrics")
        try Shell.sh("rm -rf '\(reborn.artifacts)/1'")
        for _ in 0..<2 {
            _ = try RestoreJob(workspace, options: .init(force: true)).run(name)
        }
        let items = try Catalogue(live.folder).items()
        let identity = try StackIdentity(of: reborn.stack, on: Databases(reborn.database))
        func ownership(after seconds: Int64 = 0) throws -> Ownership {
            try Ownership(
                of: identity, among: items, in: live.folder, now: .now(after: seconds))
        }
        #expect(try ownership().owner(of: items[0]) == .claimedLately)
        #expect(try ownership(after: 8 * 86_400).owner(of: items[0]) == .ours)
        // The first stack lives: what it makes after that shows it.
        sleep(1)
        let again = try live.backup().name.string
        let both = try Catalogue(live.folder).items()
        let late = try Ownership(
            of: identity, among: both, in: live.folder, now: .now(after: 8 * 86_400))
        #expect(!both.contains { late.mayRemove($0) })
        #expect(both.map(\.name.string).contains(again))
        #expect(try ClaimJob(workspace).run().stacks.count == 1)
        let claimed = try Ownership(
            of: identity, among: both, in: live.folder, now: .now(after: 27 * 3600))
        #expect(both.allSatisfy { claimed.mayRemove($0) })
    }

    @Test("A claim holds although the other stack has a backup of the future, and lapses by the next one that it makes")
    func claimOverFuture() throws {
        let live = try LiveStackFixture("whose_ahead")
        let usual = try live.backup().name
        sleep(1)
        let ahead = try live.age(live.backup().name, days: -30, readDaysAgo: 0)
        let (other, workspace) = try neighbour(live, "whose_now")
        let identity = try StackIdentity(of: other.stack, on: Databases(other.database))
        func ownership() throws -> Ownership {
            try Ownership(
                of: identity, among: Catalogue(live.folder).items(), in: live.folder,
                now: .now(after: 27 * 3600))
        }
        #expect(try ClaimJob(workspace).run().stacks.count == 1)
        for name in [usual, ahead] { #expect(try ownership().owner(of: live.item(name)) == .ours, "\(name)") }
        #expect(try ClaimJob(workspace).run().stacks.isEmpty, "it is all claimed")
        sleep(1)
        let next = try live.backup().name
        for name in [usual, ahead, next] {
            guard case .foreign = try ownership().owner(of: live.item(name)) else {
                Issue.record("\(name): the other stack lives")
                continue
            }
        }
    }

    @Test("A restore of another stack's backup renews a claim that has lapsed")
    func renewedClaim() throws {
        let live = try LiveStackFixture("whose_lapsed")
        let name = try live.backup().name
        let (heir, workspace) = try neighbour(live, "whose_heir")
        let identity = try StackIdentity(of: heir.stack, on: Databases(heir.database))
        func owner() throws -> Ownership.Owner {
            try Ownership(of: identity, among: Catalogue(live.folder).items(), in: live.folder)
                .owner(of: live.item(name))
        }
        for _ in 1...2 {
            _ = try RestoreJob(workspace, options: .init(force: true)).run(name.string)
            #expect(try owner() == .claimedLately)
            sleep(1)
            try live.backup()
            guard case .foreign = try owner() else {
                Issue.record("the other stack lives")
                return
            }
        }
    }

    @Test("The mark of the artifacts folder that is lost is told of, until a person says that it is the right folder")
    func lostMark() throws {
        let live = try LiveStackFixture("lost_mark")
        #expect(try live.backup().warnings.isEmpty)
        let mark = live.artifacts.appending(ArtifactsMark.fileName)
        let id = try #require(try ArtifactsMark.read(in: live.artifacts)).id
        try Directory.remove(mark)
        for _ in 1...2 {
            let told = try live.backup().warnings
            #expect(
                told.contains { $0.english.contains(mark.string) && $0.chinese.contains("mlflow-backup claim") },
                "\(told)")
        }
        try ClaimJob(live.workspace()).run()
        #expect(try ArtifactsMark.read(in: live.artifacts)?.id == id)
        // A client's upload does not write over it, and what is no file is made anew as what it was.
        #expect(try FileStatus.of(mark).mode == 0o444)
        try Shell.sh("chmod 644 '\(mark)'")
        #expect(try live.backup().warnings.isEmpty && FileStatus.of(mark).mode == 0o444)
        try Shell.sh("rm '\(mark)' && mkfifo '\(mark)'")
        #expect(try live.backup().warnings.isEmpty)
        #expect(try ArtifactsMark.read(in: live.artifacts)?.id == id)
    }
}
