// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// Whether a restore could be made now, as far as it shows without reading the archive and without touching anything. The
/// job runs it before it reads for minutes, and whoever asks before a task is made of it.
package struct RestorePreflight: Sendable {
    private let workspace: Workspace
    private let options: RestoreJob.Options

    private var stack: LiveStack { workspace.stack }
    private var job: RestoreJob { RestoreJob(workspace, options: options) }

    package init(_ workspace: Workspace, options: RestoreJob.Options) {
        self.workspace = workspace
        self.options = options
    }

    package enum Occasion: Sendable {
        /// Somebody asks for a restore and waits for the answer. Newer data is looked for so many seconds at most.
        case request(newerWithin: Double)
        /// The restore itself, under its locks: it reads the archive next, whatever its mark says, and then compares all data.
        case job
    }

    /// - Parameter held: the session of who holds the stack's lock, where somebody does.
    package func run(_ item: CatalogueItem, _ occasion: Occasion, holding held: (any StoreSession)? = nil) -> Findings {
        var findings = Findings()
        if options.mode.includesArtifacts {
            // Much of what follows walks through them. A backup before the restore asks by itself.
            let seconds = if case .job = occasion { FolderPulse.awakening } else { FolderPulse.hasty }
            for view in workspace.all {
                let answers: Void? = findings.make(.artifacts) { try view.stack.requireAnswers(inside: seconds) }
                guard answers != nil else { return findings }
            }
        }
        let manifest: Manifest?
        switch occasion {
        case .request: manifest = findings.make(.backup) { try self.manifest(of: item) } ?? nil
        // What cannot be read now is damage that the reading tells of.
        case .job: manifest = (try? item.quickManifest()) ?? nil
        }
        if let manifest { findings.make(.database) { _ = try job.checkSchema(manifest, item) } }
        if let manifest, !options.force, case .request(let seconds) = occasion {
            findings.make(.newerData) {
                try QuickCheck(stack, atMost: seconds).run(against: manifest, item, mode: options.mode)
            }
        }
        if let manifest { findings.make(.artifacts) { try job.refuseRemote(manifest, item) } }
        let others = manifest.flatMap { manifest in findings.make(.artifacts) { try job.beside(manifest) } } ?? []
        if !options.force, case .request(let seconds) = occasion {
            for other in others {
                findings.make(.newerData) { try other.check(item, atMost: seconds) }
            }
        }
        let session = held ?? stack.database.session()
        let databases = session.databases
        if case .request = occasion {
            findings.make(.artifacts) {
                let identity = try StackIdentity(of: stack, on: databases)
                try job.refuseArtifactsAway(identity, on: databases)
                try RestoreBeside.refuseAway(others, identity, on: databases)
            }
        }
        let obstacles = SwapObstacles(workspace, session)
        let asker: SwapObstacles.Asker = if case .job = occasion { .job } else { .request }
        if options.mode.includesDatabase {
            findings.make(.database) {
                try obstacles.check(.database, for: asker)
                if let manifest { try session.checkReading(manifest) }
            }
        }
        if options.mode.includesArtifacts {
            findings.make(.artifacts) { try obstacles.check(.artifacts, for: asker) }
            // The live files are compared with the restored ones, whatever force says.
            findings.make(.artifacts) {
                try BackupPreflight.requireReadable(stack.artifacts, atMost: patience(occasion))
            }
        }
        for other in others {
            let view = other.job.workspace
            findings.make(.artifacts) { try SwapObstacles(view, session).check(.artifacts, for: asker) }
            findings.make(.artifacts) {
                try BackupPreflight.requireReadable(view.stack.artifacts, atMost: patience(occasion))
            }
            findings.make(.room) { try other.job.checkRoomWithoutMakingAny(other.manifest, item) }
        }
        if let manifest { findings.make(.room) { try job.checkRoomWithoutMakingAny(manifest, item) } }
        if case .request = occasion { addBackupFirst(to: &findings) }
        return findings
    }

    /// Seconds.
    private func patience(_ occasion: Occasion) -> Double {
        switch occasion {
        case .request(let seconds): seconds
        case .job: 60
        }
    }

    /// What the backup would meet that a forced restore makes first. Where there is nothing to back up it makes none.
    private func addBackupFirst(to findings: inout Findings) {
        guard options.force, let first = options.backupFirst,
            (try? FileStatus.ifPresent(stack.artifacts)) ?? nil != nil
        else { return }
        let found = BackupPreflight(workspace, options: first.options, patience: 2, isFollowed: true).run()
        let hasDatabase = !found.obstacles.contains(where: \.isMissingDatabase)
        if hasDatabase { findings.add(found) }
    }

    /// - Returns: `nil` where only a whole reading finds it: others than our own archives are read in the job.
    private func manifest(of item: CatalogueItem) throws -> Manifest? {
        if item.status == .corrupt {
            throw BackupError.markedCorrupt(
                name: item.name.string, reason: item.reason ?? .empty)
        }
        return try item.quickManifest()
    }
}
