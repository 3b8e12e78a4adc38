// SPDX-License-Identifier: Apache-2.0

import Archive
import ObjectStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Objects of a store are swapped with the database, kept, and taken back as one", .besideThePool)
struct RemoteSwapTests {
    /// Rows, files, and every object.
    private func all(_ remote: RemoteRoots) throws -> [String] {
        let objects = try remote.all().map { "\($0.key)=\($0.value.count):\($0.value.prefix(20))" }.sorted()
        return [try remote.live.rows(), try remote.live.files()] + objects
    }

    private func fill(_ remote: RemoteRoots) throws {
        var some: [String: [UInt8]] = ["1/a": [1], "1/b": [2], "1/gone": [3], "2/large": noise(9 << 20)]
        if remote.server.kind == .moto {
            some["k//x"] = [4]
        }
        try remote.put(some)
    }

    private func change(_ remote: RemoteRoots) throws {
        try Connection(remote.live.database).execute("delete from metrics")
        try remote.put(["1/a": [9, 9], "2/large": [8], "3/new": [7], "3/more": [6]])
        try remote.delete("1/gone")
        if remote.server.kind == .moto { try remote.put(["k//x": [44], "k//y": [5]]) }
    }

    /// Keys of ours in the store.
    private func own(_ remote: RemoteRoots) throws -> [String] {
        let listing = try remote.store().list()
        var found: [String] = []
        while let object = try listing.next() {
            if RemoteRoot.isOurs(object.key) { found.append(object.key.description) }
        }
        return found
    }

    private func journals(_ remote: RemoteRoots) throws -> [RemoteJournal] {
        try RemoteJournal.all(remote.workspace())
    }

    private func undo(_ remote: RemoteRoots, force: Bool = false) throws -> UndoOutcome {
        try UndoJob(remote.workspace(), force: force).run()
    }

    @Test(
        "with force what differs goes aside, an undo brings it back, and the undo of that the restored again",
        arguments: [ObjectServer.Kind.moto, .rcloneS3, .sftp, .webDAV])
    func swap(kind: ObjectServer.Kind) throws {
        let remote = try RemoteRoots("remote_swap", kind)
        if kind == .sftp || kind == .webDAV { try Directory.make(remote.server.files.appending("ml")) }
        try fill(remote)
        let old = try all(remote)
        let made = try remote.backup()
        try change(remote)
        let new = try all(remote)
        let restored = try remote.restore(made.name.string, force: true)
        #expect(try all(remote) == old)
        let told = restored.replaced.findings.map(\.english).joined(separator: "; ")
        for key in ["1/a", "2/large", "3/new", "3/more"] {
            #expect(told.contains(key) && told.contains("[media]"), "\(told)")
        }
        #expect(restored.warnings.isEmpty, "\(restored.warnings.map(\.english))")
        #expect(try journals(remote).map(\.stage) == [.kept])
        #expect(try own(remote).allSatisfy { $0.contains("/kept-") } && !own(remote).isEmpty)
        _ = try undo(remote)
        #expect(try all(remote) == new)
        _ = try undo(remote)
        #expect(try all(remote) == old)
        // Nothing new is in a backup of that but what is live.
        #expect(try remote.backup().root()?.artifacts.files == made.root()?.artifacts.files)
        let kept = try #require(try remote.workspace().keptListing().first)
        try ForgetJob(remote.workspace()).run(kept.part.id)
        #expect(try own(remote).isEmpty)
        #expect(try journals(remote).isEmpty)
    }

    @Test("an object that was written after a restore refuses its undo by its name, and with force is kept")
    func undoRefused() throws {
        let remote = try RemoteRoots("remote_since")
        try fill(remote)
        let made = try remote.backup()
        try change(remote)
        let new = try all(remote)
        try remote.restore(made.name.string, force: true)
        try remote.put(["1/a": Array("since".utf8)])
        let refused = #expect(throws: BackupError.self) { try undo(remote) }
        #expect(refused?.errorCode == "newer-data")
        #expect(
            refused?.explanation.english.contains("[media] the object 1/a") == true,
            "\(refused?.explanation.english ?? "")")
        let undone = try undo(remote, force: true)
        #expect(undone.replaced.total == 1)
        #expect(try all(remote) == new)
        let kept = try #require(try own(remote).first { $0.hasSuffix("/old/1/a") })
        #expect(try remote.store().connect().read(ObjectKey(kept), limit: 100).content == Array("since".utf8))
    }

    @Test("a backup whose restore lacks nothing but objects is undone to what was there before")
    func added() throws {
        let remote = try RemoteRoots("remote_added")
        try fill(remote)
        let made = try remote.backup()
        try remote.delete("1/gone")
        let before = try all(remote)
        try remote.restore(made.name.string)
        #expect(try all(remote) != before)
        _ = try undo(remote)
        #expect(try all(remote) == before)
    }

    /// Where a restore is cut short.
    enum Moment: CaseIterable {
        case prepared, committed, leaderReady, databasesSwapped, leaderDone, halfMoved, allMoved

        var isForward: Bool {
            switch self {
            case .prepared, .committed, .leaderReady: false
            default: true
            }
        }
    }

    /// A restore that ends as if it were killed at a moment.
    private func interrupt(_ remote: RemoteRoots, _ name: String, _ mode: RestoreMode, at moment: Moment) throws {
        let workspace = try remote.workspace()
        var options = RestoreJob.Options(mode: mode, force: true)
        options.bringsObjects = true
        let job = RestoreJob(workspace, options: options)
        let item = try remote.live.item(try #require(BackupName(name)))
        let hold = try workspace.hold("test")
        defer { withExtendedLifetime(hold) {} }
        let manifest = try job.manifest(of: item)
        let remotes = try job.besideRemote(manifest, item)
        var journal = try job.journal(for: item, hold)
        try journal.lead([])
        journal.leadStores()
        try journal.write(in: workspace.state)
        let staged = try job.stage(item, manifest, &journal, hold)
        staged.comparison.close()
        var stores: [RemoteFollowing] = []
        try job.prepare(remotes, behind: journal, hold, into: &stores)
        if moment == .prepared { return }
        var leader = DataSwap(workspace: workspace, hold: hold, force: true)
        try leader.ready(&journal) {}
        for index in stores.indices {
            try stores[index].lookOnce()
            try stores[index].commit(behind: journal)
        }
        leader.stores = stores
        if moment == .committed { return }
        try leader.commit(&journal, NewerData(), nil, nil, staged.broughtIn)
        // Of the artifacts alone the first journal decides, from here on forward.
        if moment == .leaderReady { return }
        if mode.includesDatabase {
            try hold.databases.swap(
                live: journal.liveDatabase, replacement: journal.newDatabase, keepingOldAs: journal.oldDatabase)
        }
        if moment == .databasesSwapped { return }
        if let plan = journal.plan { try journal.swap.forward(plan) }
        try SwapSettlement(workspace, hold.databases).keepReplaced(journal, closing: false)
        if moment == .leaderDone { return }
        let connection = try remote.store().connect()
        let one = try #require(stores.first?.journal)
        if moment == .halfMoved {
            // Of one object both steps, of another the first.
            for (number, item) in one.items.filter({ $0.role == .replaced }).enumerated() where number < 2 {
                try connection.copy(item.object, to: one.kept(item.object))
                if number == 0 { try connection.copy(one.source(of: item.object), to: item.object) }
            }
            return
        }
        var moved = one
        try RemoteSwap(remote.store(), isResumed: false).forward(&moved)
    }

    @Test(
        "killed at any moment, what is live afterwards is the old stack or the new one, in the store, too",
        arguments: Moment.allCases, [RestoreMode.full, .artifacts])
    func killed(moment: Moment, mode: RestoreMode) throws {
        let remote = try RemoteRoots("remote_killed")
        try fill(remote)
        let restoredRows = try remote.live.rows()
        let old = try all(remote)
        let made = try remote.backup()
        try change(remote)
        let new = try all(remote)
        let rows = try remote.live.rows()
        try interrupt(remote, made.name.string, mode, at: moment)
        #expect(RecoverJob(try remote.workspace()).isNeeded)
        let outcome = try RecoverJob(remote.workspace()).run()
        let isForward = moment.isForward || mode == .artifacts && moment == .leaderReady
        #expect(
            outcome
                == (isForward
                    ? .finished(backup: made.name.string, task: nil) : .undone(backup: made.name.string, task: nil)))
        let expected = isForward ? [mode == .full ? restoredRows : rows] + old.dropFirst() : new
        #expect(try all(remote) == expected)
        #expect(try own(remote).allSatisfy { $0.contains("/kept-") })
        #expect(try !RecoverJob(remote.workspace()).isNeeded)
        guard isForward else {
            #expect(try own(remote).isEmpty && journals(remote).isEmpty)
            return
        }
        _ = try undo(remote)
        #expect(try all(remote) == new)
    }

    @Test("a store that is away when its objects are to move is waited for, and nothing else is done meanwhile")
    func away() throws {
        let remote = try RemoteRoots("remote_away", throughProxy: true)
        try fill(remote)
        let old = try all(remote)
        let made = try remote.backup()
        try change(remote)
        try interrupt(remote, made.name.string, .full, at: .leaderDone)
        try remote.proxy?.go("down")
        let stack = try remote.stack([remote.root(patience: RemoteRoots.impatience)])
        for _ in 1...2 {
            let error = #expect(throws: BackupError.self) { try remote.backup(.compressed, stack) }
            #expect(error?.errorCode == "needs-recovery", "\(String(describing: error))")
        }
        let elsewhere = try remote.stack([])
        let left = #expect(throws: BackupError.self) { try RecoverJob(remote.workspace(elsewhere)).run() }
        #expect(
            left?.explanation.english.contains("media=s3://bucket/ml") == true, "\(left?.explanation.english ?? "")")
        try remote.proxy?.go("pass")
        _ = try RecoverJob(remote.workspace()).run()
        #expect(try all(remote) == old)
    }
}
