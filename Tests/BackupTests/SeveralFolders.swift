// SPDX-License-Identifier: Apache-2.0

import Archive
import Postgres
import SystemIO
import TestSupport

@testable import Backup

/// A live stack with two folders of artifacts beside the first.
struct SeveralFolders {
    let live: LiveStackFixture
    let models: FilePath
    let notes: FilePath

    init(_ name: String) throws {
        live = try LiveStackFixture(name)
        models = live.root.path.appending("models")
        notes = live.root.path.appending("notes")
        try Shell.sh(
            """
            mkdir -p '\(models)/7/net' '\(notes)/8'; cd '\(models)/7/net'
            for n in 1 2 3 4 5; do head -c 30000 /dev/urandom > weights-$n; done; ln -s weights-1 newest
            echo first > '\(notes)/8/note.txt'
            """)
    }

    var stack: LiveStack { stack(["models": models, "notes": notes]) }

    func stack(_ folders: [String: FilePath]) -> LiveStack {
        LiveStack(
            database: live.database, tools: PostgresTools(binDirectory: live.server.binDirectory),
            artifacts: live.artifacts, further: folders.compactMap { ArtifactFolder(name: $0.key, path: $0.value) },
            mlflowVersion: { "3.17.2" })
    }

    func workspace(_ stack: LiveStack? = nil) -> Workspace { Workspace(stack ?? self.stack, live.folder, log: .silent) }

    @discardableResult
    func backup(_ kind: BackupName.Kind = .compressed, stack: LiveStack? = nil) throws -> BackupOutcome {
        try live.awaitOlderTransactions()
        return try BackupJob(workspace(stack), options: .init(kind: kind), version: "test").run()
    }

    @discardableResult
    func restore(
        _ name: String, _ mode: RestoreMode = .full, force: Bool = false, stack: LiveStack? = nil
    ) throws -> RestoreOutcome {
        try RestoreJob(workspace(stack), options: .init(mode: mode, force: force)).run(name)
    }

    @discardableResult
    func undo(force: Bool = false) throws -> UndoOutcome { try UndoJob(workspace(), force: force).run() }

    @discardableResult
    func recover() throws -> RestoreRecovery.Outcome { try RecoverJob(workspace()).run() }

    /// Rows, and every file of all folders.
    func all() throws -> [String] { [try live.rows(), try live.files()] + (try [models, notes].map(files)) }

    func files(_ folder: FilePath) throws -> String {
        try Shell.sh(
            "cd '\(folder)' && find . -path ./.mlflow-backup-restore -prune -o ! -name .mlflow-backup-stack -print | sort && find . -path ./.mlflow-backup-restore -prune -o -type f ! -name .mlflow-backup-stack -print0 | sort -z | xargs -0 -r sha256sum"
        )
    }

    /// Other rows, and in each folder one thing gone, one changed and one more.
    func change() throws {
        try Connection(live.database).execute("delete from metrics")
        try live.add(runs: 30...31)
        try Shell.sh(
            """
            cd '\(models)'; rm 7/net/weights-2; echo other > 7/net/weights-3; mkdir 9; echo late > 9/late
            cd '\(notes)'; echo second > 8/note.txt; echo new > new.txt
            cd '\(live.artifacts)'; mv 1 5; mkdir 1; echo old > 1/old
            """)
    }

    /// What is left among the artifacts of restores that are not at their end.
    func leftWork() throws -> [String] {
        try stack.folders.flatMap { folder -> [String] in
            let own = folder.appending(ArtifactSwap.folderName)
            guard try FileStatus.ifPresent(own) != nil else { return [] }
            return try Directory.names(in: own).map { String(decoding: $0, as: UTF8.self) }.filter {
                $0.hasPrefix("work-")
            }
        } + RestoreState(live.folder, artifacts: live.artifacts).names().filter { $0.hasPrefix("restore-journal") }
    }

    /// Where a restore is cut short.
    enum Moment: CaseIterable {
        case allPrepared, followersReady, allReady, databasesSwapped, firstFolderMoved, firstDone, followerHalfMoved

        /// Whether what was prepared becomes live.
        var isForward: Bool {
            switch self {
            case .allPrepared, .followersReady, .allReady: false
            case .databasesSwapped, .firstFolderMoved, .firstDone, .followerHalfMoved: true
            }
        }
    }

    /// A restore that ends as if it were killed at a moment: its locks are gone.
    func interruptRestore(of name: String, _ mode: RestoreMode = .full, at moment: Moment) throws {
        let job = RestoreJob(workspace(), options: .init(mode: mode, force: true))
        let item = try Catalogue(live.folder).item(named: name)
        let hold = try workspace().hold("test")
        defer { withExtendedLifetime(hold) {} }
        let manifest = try job.manifest(of: item)
        var journal = try job.journal(for: item, hold)
        try journal.lead(job.beside(manifest).map(\.job.workspace))
        try journal.write(in: workspace().state)
        let staged = try job.stage(item, manifest, &journal, hold)
        staged.comparison.close()
        var prepared: [StagedBeside] = []
        for other in try job.beside(manifest) { try other.stage(item, behind: journal, hold, into: &prepared) }
        let swap = DataSwap(workspace: workspace(), hold: hold, force: true)
        var following = prepared.map { $0.swap(hold, force: true) }
        var leader = swap
        leader.following = following
        if moment == .allPrepared { return }
        try leader.ready(&journal) {}
        for index in following.indices {
            try following[index].ready()
            try following[index].lookOnce()
            try following[index].commit(behind: journal, nil)
        }
        if moment == .followersReady { return }
        try leader.commit(&journal, NewerData(), nil, nil, staged.broughtIn)
        if moment == .allReady { return }
        if mode.includesDatabase {
            try hold.databases.swap(
                live: journal.liveDatabase, replacement: journal.newDatabase, keepingOldAs: journal.oldDatabase)
        }
        if moment == .databasesSwapped { return }
        if let plan = journal.plan { try journal.swap.forward(plan) }
        if moment == .firstFolderMoved { return }
        try SwapSettlement(workspace(), hold.databases).keepReplaced(journal, closing: false)
        if moment == .firstDone { return }
        let own = following[0].journal.swap
        try Directory.exchange(own.new.appending("7"), own.root.appending("7"))
    }
}
