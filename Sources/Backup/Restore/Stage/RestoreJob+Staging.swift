// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

extension RestoreJob {
    /// What lies beside the live data, ready for the swap.
    struct Staged {
        let files: Int
        let unchanged: UnchangedFiles
        let warnings: [BilingualText]
        let comparison: LiveComparison
        /// `StoreRows.moment` of the loaded database.
        let broughtIn: String?
        /// A backup that holds what is about to be replaced.
        var cover: KeptPart.Cover?
    }

    /// Unpacks and loads everything beside the live data, and compares it with the manifest.
    func stage(
        _ item: CatalogueItem, _ manifest: Manifest, _ journal: inout RestoreJournal, _ hold: Hold
    ) throws -> Staged {
        var kept = UnchangedFiles()
        var budget: UInt64?
        let dump = workspace.state.dump(of: journal)
        var routes: [Extractor.Route] = []
        try journal.swap.prepare(for: folder)
        if options.mode.includesArtifacts {
            let (target, owner) = (journal.swap.new, try artifactOwner())
            let clones = FileSystem.sharesBlocks(in: journal.swap.work)
            func route() throws -> Extractor.Route {
                if !clones { try kept.count(in: KeptParts(workspace), cancellation: cancellation) }
                return .init(
                    stack.section, into: target, owner: owner, existing: kept.existing(stack.artifacts, clones: clones))
            }
            let before = try KeptPart.ids(in: workspace.state)
            routes.append(try route())
            budget = try room(for: manifest, item, routes, hold)
            // What went to make room has no names any more.
            if try KeptPart.ids(in: workspace.state) != before { routes = [try route()] }
        }
        if options.mode.includesDatabase {
            // Among the artifacts it would be the server's user's, and so in reach of its clients.
            if dump.parent == folder.staging {
                try Directory.makeInherited(dump, mode: 0o700)
            } else {
                try Directory.make(dump, mode: 0o700)
            }
            routes.append(.init(.database, into: dump))
        }
        progress(Progress(.extracting, fraction: 0.22))
        let total = max(item.size, 1)
        let observer = ReadObserver(cancellation: cancellation) { [progress] done in
            progress(Progress(.extracting, fraction: 0.22 + 0.38 * min(1, Double(done) / Double(total))))
        }
        let extracted = try extract(item, manifest, routes, budget, observer, hold)
        kept.note(extracted)
        var files = 0
        if options.mode.includesArtifacts {
            try refuseOurNames(in: journal.swap.new, item)
            files = try compareArtifacts(journal.swap.new, manifest)
            _ = try OutsideThings(live: stack.artifacts, restored: journal.swap.new, cancellation: cancellation)
                .carryOver()
        }
        var warnings = extracted.denied.warnings
        var broughtIn: String?
        if options.mode.includesDatabase {
            warnings += try loadMakingRoom(dump, &journal, manifest, hold)
            try Directory.removeTree(dump)
            broughtIn = try stack.moment(in: journal.newDatabase, cancellation)
        }
        return Staged(
            files: files, unchanged: kept, warnings: warnings,
            comparison: try LiveComparison(workspace, journal, hold, kept.clones),
            broughtIn: broughtIn)
    }

    /// An archive of ours is unpacked by all cores; one that somebody packed again, or a folder, entry by entry.
    private func extract(
        _ item: CatalogueItem, _ manifest: Manifest, _ routes: [Extractor.Route], _ budget: UInt64?,
        _ observer: ReadObserver, _ hold: Hold
    ) throws -> Extractor.Outcome {
        if item.kind == .compressed, let archive = try ownArchive(item) {
            let extractor = ParallelExtractor(routes, threads: options.threads, budget: budget, observer: observer)
            do { return try extractor.extract(archive) } catch is ParallelExtractor.BudgetExceeded {
                // Fewer files could be kept than their stamps promised.
                throw BackupError.lackingRoom(
                    path: stack.artifacts.string, needed: manifest.artifacts.bytes, available: budget ?? 0,
                    kept: try keptIDs(hold))
            }
        } else {
            return try Extractor(routes).extract(try reader(item, observer))
        }
    }

    /// `nil` where the archive has no footer of ours.
    func ownArchive(_ item: CatalogueItem) throws -> IndexedArchive? {
        do { return try IndexedArchive(item.path) } catch ArchiveError.truncated { return nil }
    }

    func reader(_ item: CatalogueItem, _ observer: ReadObserver = ReadObserver()) throws -> any ArchiveReader {
        switch item.kind {
        case .compressed: try TarGzipReader(item.path, observer: observer)
        case .uncompressed: try FolderReader(item.path, observer: observer)
        }
    }

    func manifest(of item: CatalogueItem) throws -> Manifest {
        if let quick = try item.quickManifest() { return quick }
        var bytes: [UInt8]?
        let reader = try reader(item)
        try reader.forEachEntry { entry, content in
            if entry.path == .manifest {
                bytes = try content.readAll(limit: 64 << 20, archive: reader.name, path: entry.path)
            }
        }
        guard let bytes else {
            throw BackupError.manifestUnreadable(
                backup: item.name.string, reason: .init(zh: "没有此文件", en: "it has none"))
        }
        return try Manifest(decoding: bytes, backup: item.name.string)
    }

    /// Restored files belong to whom they belonged to; who owned the artifacts folder then stands for who owns it now, for
    /// that is who MLflow runs as.
    func artifactOwner() throws -> RestoredOwner {
        let status = try OpenFile(stack.artifacts, .directoryThroughLink).status()
        return .recorded(placeOwner: (status.owner, status.group))
    }

    /// Names that are ours among the artifacts are in no backup that we made, and must not come from one that somebody else did.
    private func refuseOurNames(in tree: FilePath, _ item: CatalogueItem) throws {
        guard let name = try Directory.names(in: tree).first(where: { LiveStack.notArtifacts.contains($0) }) else {
            return
        }
        throw ArchiveError.unsafeEntry(
            archive: item.path.string, path: stack.section.appending(name: name).description,
            reason: BilingualText(zh: "该名称由备份服务使用", en: "the backup service uses this name itself"))
    }

    private func compareArtifacts(_ staging: FilePath, _ manifest: Manifest) throws -> Int {
        var files = 0
        var bytes: UInt64 = 0
        var linked: Set<UInt64> = []
        var walk = try TreeWalk(root: OpenFile(staging, .directory), prefix: nil)
        while let step = try walk.next() {
            guard case .entry(let entry, _, _) = step, entry.kind == .file else { continue }
            if let origin = entry.origin, !linked.insert(origin.inode).inserted { continue }
            files += 1
            bytes = bytes.adding(clamped: entry.size)
        }
        guard files == manifest.artifacts.files, bytes == manifest.artifacts.bytes else {
            throw BackupError.artifactsDiffer(
                expectedFiles: manifest.artifacts.files, foundFiles: files, expectedBytes: manifest.artifacts.bytes,
                foundBytes: bytes)
        }
        return files
    }

    /// The disk of the server is known to it alone. Where it says that there is no room, kept databases that may go do,
    /// oldest first, until there is.
    private func loadMakingRoom(
        _ dump: FilePath, _ journal: inout RestoreJournal, _ manifest: Manifest, _ hold: Hold
    ) throws -> [BilingualText] {
        while true {
            do { return try load(dump, &journal, manifest, hold) } catch {
                guard let reason = error.fullDatabaseDisk else { throw error }
                log.warning("no room for the database", ["reason": reason])
                try hold.databases.drop(journal.newDatabase)
                if try KeptExpiry(workspace, hold).removeOldestDatabase() { continue }
                let kept = try KeptParts(workspace, of: hold.identity).all().filter { $0.database != nil }.map(\.id)
                if kept.isEmpty { throw error }
                throw BackupError.noRoomForDatabase(reason: reason, kept: kept)
            }
        }
    }

    private func load(
        _ dump: FilePath, _ journal: inout RestoreJournal, _ manifest: Manifest, _ hold: Hold
    ) throws -> [BilingualText] {
        progress(Progress(.loading, fraction: 0.62))
        let request = LoadRequest(
            dump: dump, names: journal.names, manifest: manifest,
            isOfAnother: manifest.stack.map { !$0.isSameStack(as: hold.identity) } ?? false, threads: options.threads,
            cancellation: cancellation, progress: progress, log: log)
        let warnings = try hold.session.load(request) { number in
            journal.newOID = number
            try journal.write(in: workspace.state)
        }
        try upgradeSchema(journal.newDatabase, manifest, backup: journal.backup, hold)
        return warnings
    }
}
