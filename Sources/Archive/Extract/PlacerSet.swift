// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// One thread's placers, one for each route.
// @unchecked: used by the thread that made it; the extractor takes it over when that thread has no more work.
final class PlacerSet: @unchecked Sendable {
    private let routes: [Extractor.Route]
    private let placers: [EntryPlacer]
    private let live: [LiveFiles?]
    private let archive: String
    private let budget: WriteBudget?

    /// - Parameter looks: one for each route.
    init(
        _ routes: [Extractor.Route], _ looks: [RestoredLooks], _ archive: String, _ budget: WriteBudget? = nil,
        _ cancellation: Cancellation? = nil
    ) throws {
        self.budget = budget
        self.routes = routes
        self.archive = archive
        placers = try zip(routes, looks).map { try EntryPlacer(root: $0.destination, looks: $1) }
        live = try zip(routes, looks).map { route, looks in
            try route.existing.map { try LiveFiles($0, looks, cancellation) }
        }
    }

    func wants(_ path: EntryPath) -> Bool { routes.contains { path.relative(to: $0.source) != nil } }

    enum Placement {
        /// No route wants it.
        case unwanted
        case placed
        /// The live tree has it already.
        case kept(EntryPlacer.Kept)
        /// A file whose chunks follow.
        case large(LargeFile)
    }

    func place(_ entry: ArchiveEntry, _ content: UnsafeRawBufferPointer) throws -> Placement {
        guard let target = target(of: entry.path) else { return .unwanted }
        let placed = try target.route.located(entry, at: target.path, archive: archive)
        return try refusingContradictions(entry.path) {
            guard entry.kind == .file else {
                try target.placer.place(placed)
                return .placed
            }
            if let match = target.live?.match(placed, content: content),
                let kept = try target.placer.keep(placed, match)
            {
                return .kept(kept)
            }
            if target.live != nil { try budget?.take(placed.size) }
            try target.placer.place(placed, bytes: content)
            return .placed
        }
    }

    /// Whether a file must be written, as far as stamps can tell.
    func mustWrite(_ entry: ArchiveEntry) -> Bool {
        guard let target = target(of: entry.path) else { return false }
        var placed = entry
        placed.path = target.path
        return target.live.map { !$0.seemsRight(placed) } ?? true
    }

    /// Makes the file whose chunks follow.
    func openLarge(_ member: ArchiveIndex.Member, _ reader: MemberReader) throws -> Placement {
        guard let path = member.entries.first?.entry.path, let target = target(of: path) else { return .unwanted }
        var placement: Placement?
        let tar = try reader.tar(of: member)
        try TarFragment(tar, of: member, archive: self.archive).forEachEntry { entry, _, record in
            guard entry.kind == .file, placement == nil else {
                throw ArchiveError.damaged(
                    archive: self.archive, offset: member.offset,
                    reason: .init(zh: "大文件的头无效", en: "the header of a large file is none"))
            }
            var placed = entry
            placed.path = target.path
            placement = try refusingContradictions(entry.path) {
                if let digest = record.digest, let match = target.live?.match(placed, digest: digest),
                    let kept = try target.placer.keep(placed, match)
                {
                    return .kept(kept)
                }
                if target.live != nil { try budget?.take(placed.size) }
                let file = try target.placer.create(placed.path, size: placed.size)
                return .large(try LargeFile(file, placed, target.placer.looks, archive: self.archive))
            }
        }
        return placement ?? .unwanted
    }

    /// Makes all links, then sets what folders shall look like, those of the other threads included.
    func finish(with others: [PlacerSet]) throws {
        for (number, placer) in placers.enumerated() {
            for other in others { placer.takeOver(other.placers[number]) }
            do { try placer.finish() } catch let error as SystemError where EntryPlacer.isContradiction(error) {
                throw EntryPlacer.contradiction(error, in: archive)
            }
        }
    }

    private struct Target {
        let route: Extractor.Route
        let placer: EntryPlacer
        let live: LiveFiles?
        /// Relative to the route's destination.
        let path: EntryPath
    }

    private func target(of path: EntryPath) -> Target? {
        for (number, route) in routes.enumerated() {
            guard let relative = path.relative(to: route.source) else { continue }
            return Target(route: route, placer: placers[number], live: live[number], path: relative)
        }
        return nil
    }

    private func refusingContradictions(_ path: EntryPath, _ body: () throws -> Placement) throws -> Placement {
        do { return try body() } catch let error as SystemError where EntryPlacer.isContradiction(error) {
            throw ArchiveError.unsafeEntry(
                archive: archive, path: path.description, reason: ArchiveError.nameTwice
            )
        }
    }
}
