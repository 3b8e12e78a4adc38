// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// One thread's placers, one for each route.
// @unchecked: used by the thread that made it; the extractor takes it over when that thread has no more work.
final class PlacerSet: @unchecked Sendable {
    private let routes: [Extractor.Route]
    private let placers: [EntryPlacer]
    private let archive: String

    init(_ routes: [Extractor.Route], _ archive: String) throws {
        self.routes = routes
        self.archive = archive
        placers = try routes.map { route in
            try EntryPlacer(
                root: route.destination,
                owner: route.owner.map { EntryPlacer.Owner(user: $0.user, group: $0.group) })
        }
    }

    func wants(_ path: EntryPath) -> Bool { routes.contains { path.relative(to: $0.source) != nil } }

    /// - Returns: false where no route wants it.
    func place(_ entry: ArchiveEntry, _ content: UnsafeRawBufferPointer) throws -> Bool {
        guard let (route, placer, path) = route(of: entry.path) else { return false }
        let placed = try route.located(entry, at: path, archive: archive)
        try refusingContradictions(entry.path) {
            if entry.kind == .file { try placer.place(placed, bytes: content) } else { try placer.place(placed) }
        }
        return true
    }

    /// Makes the file whose chunks follow. - Returns: `nil` where no route wants it.
    func openLarge(_ member: ArchiveIndex.Member, _ reader: MemberReader) throws -> LargeFile? {
        guard let path = member.entries.first?.entry.path, let (route, placer, _) = route(of: path) else { return nil }
        var file: LargeFile?
        let tar = try reader.tar(of: member)
        try TarFragment(tar, of: member, archive: self.archive).forEachEntry { entry, _, _ in
            guard entry.kind == .file, file == nil, let relative = entry.path.relative(to: route.source) else {
                throw ArchiveError.damaged(
                    archive: self.archive, offset: member.offset, reason: "the header of a large file is none")
            }
            var placed = entry
            placed.path = relative
            try refusingContradictions(entry.path) {
                file = try LargeFile(
                    placer.create(placed.path, size: placed.size), placed, placer.owner, archive: self.archive)
            }
        }
        return file
    }

    /// Makes all links, then sets what folders shall look like, those of the other threads included.
    func finish(with others: [PlacerSet]) throws {
        for (number, placer) in placers.enumerated() {
            for other in others { placer.takeOver(other.placers[number]) }
            do { try placer.finish() } catch let error as SystemError where EntryPlacer.isContradiction(error) {
                throw ArchiveError.unsafeEntry(
                    archive: archive, path: error.path, reason: "a link that other entries contradict (\(error.reason))"
                )
            }
        }
    }

    private func route(of path: EntryPath) -> (Extractor.Route, EntryPlacer, EntryPath)? {
        for (route, placer) in zip(routes, placers) {
            if let relative = path.relative(to: route.source) { return (route, placer, relative) }
        }
        return nil
    }

    private func refusingContradictions(_ path: EntryPath, _ body: () throws -> Void) throws {
        do { try body() } catch let error as SystemError where EntryPlacer.isContradiction(error) {
            throw ArchiveError.unsafeEntry(
                archive: archive, path: path.description, reason: "the same name comes twice")
        }
    }
}
