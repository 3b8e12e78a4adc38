// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// Unpacks parts of a backup into staging folders.
package struct Extractor {
    /// Everything below `source` in the backup goes into `destination`, an existing empty folder.
    package struct Route: Sendable {
        package let source: EntryPath
        package let destination: FilePath
        package let owner: RestoredOwner
        /// Where files may be that are right already. Only `ParallelExtractor` looks there.
        package let existing: Existing?

        package init(
            _ source: EntryPath, into destination: FilePath, owner: RestoredOwner = .writer, existing: Existing? = nil
        ) {
            self.source = source
            self.destination = destination
            self.owner = owner
            self.existing = existing
        }
    }

    package struct Outcome: Sendable, Equatable {
        package var files = 0
        package var bytes: UInt64 = 0
        /// Of these files, those that the existing tree held already.
        package var kept: [KeptFile] = []
        /// And those that share its blocks.
        package var cloned: [ClonedFile] = []
        /// What could not be given to restored files.
        package var denied = DeniedLooks()

        mutating func note(_ kept: EntryPlacer.Kept) {
            switch kept {
            case .linked(let file): self.kept.append(file)
            case .cloned(let file): cloned.append(file)
            }
        }

        /// Sizes may come from an index that nobody has compared with anything, so the sum must not overflow.
        static func += (total: inout Outcome, part: Outcome) {
            total.bytes = total.bytes.adding(clamped: part.bytes)
            total.files += part.files
            total.kept += part.kept
            total.cloned += part.cloned
            total.denied += part.denied
        }
    }

    private let routes: [Route]

    package init(_ routes: [Route]) { self.routes = routes }

    /// Reads the whole archive, so that damage anywhere is an error, and unpacks what has a route.
    /// The files are on disk when this returns.
    package func extract(_ reader: any ArchiveReader) throws -> Outcome {
        for route in routes { try EntryPlacer.prepare(route.destination) }
        // Who owned the tree stands before what is in it, and is known when the first of that comes.
        var placers = try routes.map { try EntryPlacer(root: $0.destination, looks: .init($0.owner, tree: nil)) }
        var outcome = Outcome()
        var links = LinkPlan()
        try reader.forEachEntry { entry, content in
            if entry.path == .index { return try links.read(content, archive: reader.name) }
            links.note(entry)
            for (number, route) in routes.enumerated() where route.source == entry.path && placers[number].isUnused {
                placers[number] = try EntryPlacer(root: route.destination, looks: .init(route.owner, tree: entry))
            }
            for (route, placer) in zip(routes, placers) {
                guard let path = entry.path.relative(to: route.source) else { continue }
                do {
                    try place(entry, at: path, content, placer, route, reader.name)
                } catch let error as SystemError where EntryPlacer.isContradiction(error) {
                    throw ArchiveError.unsafeEntry(
                        archive: reader.name, path: entry.path.description,
                        reason: ArchiveError.nameTwice)
                }
                if entry.kind == .file {
                    outcome.files += 1
                    outcome.bytes = outcome.bytes.adding(clamped: entry.size)
                }
            }
        }
        try follow(links, placers, reader.name, &outcome)
        for (route, placer) in zip(routes, placers) {
            do { try placer.finish() } catch let error as SystemError where EntryPlacer.isContradiction(error) {
                throw EntryPlacer.contradiction(error, in: reader.name)
            }
            try FileSystem.sync(holding: route.destination)
            outcome.denied += placer.looks.denied
        }
        return outcome
    }

    private func follow(
        _ links: LinkPlan, _ placers: [EntryPlacer], _ archive: String, _ outcome: inout Outcome
    ) throws {
        for step in links.steps() {
            let (path, target) =
                switch step {
                case .tie(let path, let target), .part(let path, let target): (path, target)
                }
            for (route, placer) in zip(routes, placers) {
                guard let below = path.relative(to: route.source) else { continue }
                guard let other = target.relative(to: route.source) else {
                    throw ArchiveError.unsafeEntry(
                        archive: archive, path: path.description,
                        reason: ArchiveError.hardLinkLeaving)
                }
                do {
                    switch step {
                    case .tie:
                        guard let bytes = try placer.tie(below, to: other) else { continue }
                        outcome.files -= 1
                        outcome.bytes -= min(bytes, outcome.bytes)
                    case .part:
                        guard let bytes = try placer.part(below, from: other) else { continue }
                        outcome += Outcome(files: 1, bytes: bytes)
                    }
                } catch let error as SystemError where EntryPlacer.isContradiction(error) {
                    throw ArchiveError.unsafeEntry(
                        archive: archive, path: path.description,
                        reason: .init(zh: "与其他条目矛盾的链接", en: "a link that other entries contradict"))
                }
            }
        }
    }

    private func place(
        _ entry: ArchiveEntry, at path: EntryPath, _ content: EntryContent, _ placer: EntryPlacer, _ route: Route,
        _ archive: String
    ) throws {
        let placed = try route.located(entry, at: path, archive: archive)
        if entry.kind == .file {
            try placer.place(placed) { try content.read(into: $0) }
        } else {
            try placer.place(placed)
        }
    }
}

extension Extractor.Route {
    /// What the archive says of the folder that this is about.
    func tree(in archive: IndexedArchive) throws -> ArchiveEntry? {
        guard case .recorded = owner else { return nil }
        return try archive.folder(at: source)
    }

    /// The entry as it is below the destination.
    /// - Throws: `ArchiveError.unsafeEntry` for links that would lead out of it.
    func located(_ entry: ArchiveEntry, at path: EntryPath, archive: String) throws -> ArchiveEntry {
        var placed = entry
        placed.path = path
        switch entry.kind {
        case .file, .directory: break
        case .symbolicLink(let target):
            guard path.staysInside(linkTarget: target) else {
                throw ArchiveError.unsafeEntry(
                    archive: archive, path: entry.path.description,
                    reason: ArchiveError.linkLeaving)
            }
        case .hardLink(let target):
            guard let inside = target.relative(to: source) else {
                throw ArchiveError.unsafeEntry(
                    archive: archive, path: entry.path.description,
                    reason: ArchiveError.hardLinkLeaving)
            }
            placed.kind = .hardLink(target: inside)
        }
        return placed
    }
}
