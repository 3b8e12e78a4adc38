// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// Unpacks an archive of ours on all cores: its members are independent of each other, so each thread inflates and
/// places whole ones. Every member is compared with its digest, every entry with the index.
package struct ParallelExtractor: Sendable {
    let routes: [Extractor.Route]
    private let threads: Int
    private let observer: ReadObserver
    private let budget: WriteBudget?

    /// What had to be written was more than the caller has room for.
    package struct BudgetExceeded: Error {}

    /// - Parameter budget: bytes of content that may be written for routes that have an existing tree, not counting what
    ///   is kept; `nil` for no bound.
    package init(
        _ routes: [Extractor.Route], threads: Int, budget: UInt64? = nil, observer: ReadObserver = ReadObserver()
    ) {
        self.routes = routes
        self.budget = budget.map { WriteBudget($0) }
        self.threads = max(threads, 1)
        self.observer = observer
    }

    /// Members that no route wants are not read. The files are on disk when this returns.
    /// - Throws: `ArchiveError`, `SystemError`, `CancelledError`, `BudgetExceeded`.
    package func extract(_ archive: IndexedArchive) throws -> Extractor.Outcome {
        for route in routes { try EntryPlacer.prepare(route.destination) }
        let looks = try routes.map { RestoredLooks($0.owner, tree: try $0.tree(in: archive)) }
        let ends = Monitor<[PlacerSet]>([])
        let crew = try WorkCrew<Job, Extractor.Outcome>(threads: threads, name: "extract") {
            [routes, observer, budget] in
            let placers = try PlacerSet(routes, looks, archive.path.string, budget, observer.cancellation)
            ends.withLock { $0.append(placers) }
            let reader = MemberReader(archive)
            return { job in try Self.perform(job, archive, placers, reader) }
        }
        let openers = try PlacerSet(routes, looks, archive.path.string, budget, observer.cancellation)
        let reader = MemberReader(archive)
        var outcome = Extractor.Outcome()
        func note(_ parts: [Extractor.Outcome]) { for part in parts { outcome += part } }
        var large: LargeFile?
        archive.file.advise(.sequential)
        try archive.forEachMember { member in
            try observer.cancellation?.check()
            switch member.kind {
            case .pack where member.entries.contains { openers.wants($0.entry.path) }:
                note(try crew.submit(.pack(member)))
            case .header:
                try large?.checkIsComplete()
                large = nil
                let size = member.entries.first?.entry.size ?? 0
                switch try openers.openLarge(member, reader) {
                case .large(let file):
                    large = file
                    note([.init(files: 1, bytes: size)])
                case .kept(let file):
                    var kept = Extractor.Outcome(files: 1, bytes: size)
                    kept.note(file)
                    note([kept])
                case .placed, .unwanted: break
                }
            case .chunk:
                if let range = try large?.next(member) { note(try crew.submit(.chunk(member, range))) }
            case .pack, .loose: break
            }
            try observer.didRead(member.length, upTo: member.offset + member.length)
            return true
        }
        try large?.checkIsComplete()
        note(try crew.finish())
        large = nil
        // Links come after every file, and folders get their times after everything in them.
        let all = ends.withLock { $0 }
        try openers.finish(with: all)
        for route in routes { try FileSystem.sync(holding: route.destination) }
        for one in looks { outcome.denied += one.denied }
        return outcome
    }

    private enum Job: Sendable {
        case pack(ArchiveIndex.Member)
        case chunk(ArchiveIndex.Member, LargeFile.Range)
    }

    private static func perform(
        _ job: Job, _ archive: IndexedArchive, _ placers: PlacerSet, _ reader: MemberReader
    ) throws -> Extractor.Outcome? {
        switch job {
        case .pack(let member):
            var outcome = Extractor.Outcome()
            let tar = try reader.tar(of: member)
            try TarFragment(tar, of: member, archive: archive.path.string).forEachEntry { entry, content, _ in
                let placement = try placers.place(entry, content)
                if case .unwanted = placement { return }
                guard entry.kind == .file else { return }
                outcome.files += 1
                outcome.bytes = outcome.bytes.adding(clamped: entry.size)
                if case .kept(let file) = placement { outcome.note(file) }
            }
            return outcome
        case .chunk(let member, let range):
            try range.write(try reader.tar(of: member))
            return nil
        }
    }
}
