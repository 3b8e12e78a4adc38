// SPDX-License-Identifier: Apache-2.0

import Archive
import ObjectStore
import SystemIO

/// Copies the objects of a remote root into a writer, in the order of their keys, and fetches only what the backup before does not have.
struct ObjectArchiver {
    struct Report {
        /// As of a walk over a folder.
        var walk = TreeArchiver.Report()
        /// Of its files, those whose keys are no paths.
        var strangeKeys = 0
        /// Whether the store may hold objects that it did not list.
        var mayLackKeys = false
    }

    private let writer: any ArchiveWriter
    private let cancellation: Cancellation
    private let onBytes: (UInt64) -> Void

    init(into writer: any ArchiveWriter, cancellation: Cancellation, onBytes: @escaping (UInt64) -> Void) {
        (self.writer, self.cancellation, self.onBytes) = (writer, cancellation, onBytes)
    }

    /// - Parameters:
    ///   - folder: for what does not fit into memory.
    /// - Throws: `ObjectStoreError` where the store cannot be listed or read: a backup without it would only look whole.
    func add(_ root: RemoteRoot, _ store: any RemoteStore, in folder: FilePath) throws -> Report {
        let places = ObjectPlaces(root: root.name)
        let passage = ObjectPassage(writer, store, places, cancellation, onBytes)
        try passage.take(places.folder(places.section))
        let listing = try store.list()
        let deferred = try DeferredObjects(in: folder)
        var keys = KeyPaths()
        try passage.run(arePaths: true) {
            while let object = try listing.next() {
                if RemoteRoot.isOurs(object.key) { continue }
                if keys.take(object.key) { return object }
                try deferred.append(object)
            }
            return nil
        }
        try writer.endSection()
        if deferred.count > 0 {
            try deferred.rewind()
            try passage.take(places.folder(.keys(of: root.name)))
            try passage.run(arePaths: false, deferred.next)
            try writer.endSection()
        }
        return Report(walk: passage.report, strangeKeys: deferred.count, mayLackKeys: listing.mayLackKeys)
    }
}

/// One root on its way into a writer.
private final class ObjectPassage {
    private(set) var report = TreeArchiver.Report()
    private let writer: any ArchiveWriter
    private let store: any RemoteStore
    private let places: ObjectPlaces
    private let cancellation: Cancellation
    private let onBytes: (UInt64) -> Void
    private let reuse: any TreeReuse
    /// On the way to the last object, each with a slash at its end.
    private var folders: [[UInt8]] = []

    init(
        _ writer: any ArchiveWriter, _ store: any RemoteStore, _ places: ObjectPlaces, _ cancellation: Cancellation,
        _ onBytes: @escaping (UInt64) -> Void
    ) {
        (self.writer, self.store, self.places) = (writer, store, places)
        (self.cancellation, self.onBytes) = (cancellation, onBytes)
        reuse = writer.treeReuse()
    }

    /// Objects in the order of the backup, those that it has not fetched ahead.
    func run(arePaths: Bool, _ next: @escaping () throws -> ListedObject?) throws {
        let (places, foresight) = (places, try writer.foresight())
        let download = try ParallelDownload(store) {
            guard let object = try next() else { return nil }
            let isKnown = try foresight?.isUnchanged(places.candidate(object, isPath: arePaths)) ?? false
            return .init(object, isWanted: !isKnown)
        }
        while let (object, content) = try download.next() {
            try cancellation.check()
            if arePaths { try enter(object.key.bytes) }
            try take(places.candidate(object, isPath: arePaths)) {
                try add(object, content, isPath: arePaths)
            }
        }
        try reuse.finish().forEach(addStored)
    }

    /// Adds the folders on the way to an object that are not added yet: all keys that begin with one follow each other.
    private func enter(_ key: [UInt8]) throws {
        while let last = folders.last, !key.starts(with: last) { folders.removeLast() }
        while let end = key[(folders.last?.count ?? 0)...].firstIndex(of: UInt8(ascii: "/")) {
            folders.append(Array(key[...end]))
            guard let path = EntryPath(places.section.bytes + [UInt8(ascii: "/")] + key[..<end]) else { return }
            report.folders += 1
            try take(places.folder(path))
        }
    }

    /// - Parameter add: where nothing else has it.
    func take(_ candidate: ReuseCandidate, orElse add: () throws -> Void = {}) throws {
        while true {
            switch try reuse.offer(candidate) {
            case .undecided: return
            case .reused(let candidates): return candidates.forEach(noteReused)
            case .readAll(let candidates): return try candidates.forEach(addStored)
            case .readThenRetry(let candidates): try candidates.forEach(addStored)
            case .read:
                guard candidate.entry.kind == .file else { return try writer.add(candidate.entry) }
                return try add()
            }
        }
    }

    private func noteReused(_ candidate: ReuseCandidate) {
        guard candidate.entry.kind == .file else { return }
        report.reusedFiles += 1
        report.reusedBytes = report.reusedBytes.adding(clamped: candidate.entry.size)
        count(candidate.entry)
    }

    private func count(_ entry: ArchiveEntry) {
        report.files += 1
        report.bytes = report.bytes.adding(clamped: entry.size)
        onBytes(entry.size)
    }

    /// What the backup before has, and not as it can lie in this one.
    private func addStored(_ candidate: ReuseCandidate) throws {
        let entry = candidate.entry
        guard entry.kind == .file else { return try writer.add(entry) }
        guard let stored = candidate.stored else { return try stream(entry.key(in: places), isPath: entry.isPath) }
        try writer.add(entry, bytes: stored)
        noteReused(candidate)
    }

    private func add(_ object: ListedObject, _ content: ParallelDownload.Content, isPath: Bool) throws {
        switch content {
        case .gone: vanish(object.key, isPath)
        case .notWanted, .large, .changed: try stream(object.key, isPath: isPath, listed: object.stamps)
        case .whole(let bytes, let description):
            let stamps = description.stamps.joined(with: object.stamps)
            let entry = places.entry(object.key, stamps, isPath: isPath)
            try writer.add(entry, bytes: bytes)
            if !object.stamps.agree(with: description.stamps) { report.changedWhileRead.append(entry.path) }
            count(entry)
        }
    }

    private func vanish(_ key: ObjectKey, _ isPath: Bool) {
        report.skipped.append((places.entry(key, ObjectStamps(size: 0), isPath: isPath).path, .vanished))
    }

    /// - Parameter listed: what the listing said of it.
    private func stream(_ key: ObjectKey, isPath: Bool, listed: ObjectStamps? = nil) throws {
        let object = try StreamedObject(store, key)
        let begun: ObjectDescription
        do { begun = try object.begin() } catch ObjectStoreError.gone { return vanish(key, isPath) }
        let stamps = listed.map { begun.stamps.joined(with: $0) } ?? begun.stamps
        let entry = places.entry(key, stamps, isPath: isPath)
        let missing = try writer.add(entry, content: object.fill)
        let isWhole = try object.finish() != nil && missing == 0
        if !isWhole || listed.map({ !$0.agree(with: stamps) }) ?? false { report.changedWhileRead.append(entry.path) }
        count(entry)
    }
}

extension ArchiveEntry {
    fileprivate var isPath: Bool { object?.key == nil }

    fileprivate func key(in places: ObjectPlaces) -> ObjectKey {
        ObjectKey(bytes: object?.key ?? path.relative(to: places.section)?.bytes ?? path.bytes)
    }
}
