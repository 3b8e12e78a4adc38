// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// Reads copies that nobody has read for a while, the oldest reading first: what a disk has lost is then found while
/// there is another copy.
///
/// One is begun each night whatever its size, and what was begun is read to its end. So each one that is due gets its
/// night: none has to be read in the time that is left of that of others.
struct Scrub {
    private let workspace: Workspace
    private let copies: Copies
    private let seconds: Double
    private let limit: Double
    private let began = LocalTime.now()

    /// Seconds after which a copy is read again: a day before retention would have to.
    private static let age: Int64 = 6 * 86_400
    /// Seconds that the reading of what was begun may take in all: a night has an end.
    static let longest: Double = 8 * 3600

    /// Seconds in which folders are begun to be looked through for files that were put over others.
    private static let longestLook: Double = 600

    /// - Parameters:
    ///   - seconds: how long after its beginning a further one is begun.
    ///   - limit: how long it may take at most, in seconds.
    init(_ workspace: Workspace, _ copies: Copies, atMost seconds: Double, limit: Double = Scrub.longest) {
        self.workspace = workspace
        self.copies = copies
        self.seconds = min(max(seconds, 0), 1e6)
        self.limit = min(max(limit, 0), 1e6)
    }

    /// - Returns: what a person should know; damage was recorded, too. Nothing that happens here fails a backup, and nothing
    ///   that is wrong with one copy keeps the others from being read.
    func run() -> [BilingualText] {
        let start = MonotonicTime.nanoseconds()
        let (lastBeginning, end) = (start + UInt64(seconds * 1e9), start + UInt64(limit * 1e9))
        var postponed = PostponedReadings(in: workspace.folder, among: copies.items)
        var warnings: [BilingualText] = []
        for (place, item) in due(postponed).enumerated() {
            guard place == 0 || MonotonicTime.nanoseconds() < lastBeginning else {
                workspace.log.info("old copies are read on another time", ["reason": "the time for it is up"])
                break
            }
            do {
                // Damage in one before it may have been its damage, too; and what a person removed is gone.
                let found = try Catalogue(workspace.folder).items().first { $0.name == item.name }
                guard let found, isToBeRead(found) else { continue }
                try verification(until: end).run(found)
                postponed.remove(item.name)
            } catch is CancelledError {
                workspace.log.info("old copies are read another time", ["reason": "cancelled"])
                break
            } catch is ReadObserver.TimeIsUp {
                postponed.add(item.name)
                warnings.append(tooLong(item))
                break
            } catch  where error.isDamage {
                // What anybody sees is told each time (`Copies.warnings`), and read as seldom as good ones.
                if item.hasOtherSize {
                    postponed.add(item.name)
                } else {
                    postponed.remove(item.name)
                    warnings.append(Retention.damaged(item, error.bilingual))
                }
            } catch let error as Verification.NotRecorded where error.reason.isFull || error.reason.isDenied {
                // A full disk says nothing of what was read; nor can it be noted that this was the last one.
                workspace.log.warning(
                    "an old copy is good, and that is not recorded",
                    ["name": item.name, "reason": error.reason.description])
                postponed.remove(item.name)
            } catch {
                // It must not be the first of the next night, too.
                postponed.add(item.name)
                let reason = error.bilingual
                workspace.log.error("an old copy could not be read", ["name": item.name, "reason": reason.english])
                warnings.append(
                    BilingualText(
                        zh: "未能重新读取备份 \(item.name)：", en: "The backup \(item.name) could not be read again: ") + reason)
            }
        }
        do { try postponed.write() } catch {
            workspace.log.warning(
                "which copies are read later than others is not noted", ["reason": error.bilingual.english])
        }
        return warnings
    }

    private func tooLong(_ item: CatalogueItem) -> BilingualText {
        workspace.log.warning("an old copy was not read to its end", ["name": item.name, "seconds": limit])
        let hours = (limit / 360).rounded() / 10
        return BilingualText(
            zh:
                "备份 \(item.name) 在 \(hours) 小时内未能读完，尚不知是否完好。先读其他副本，之后再试；也可运行 mlflow-backup verify \(item.name.string.shellWord)。",
            en:
                "The backup \(item.name) was not read to its end within \(hours) hours, so nobody knows whether it is good. Others "
                + "are read before it is tried again; `mlflow-backup verify \(item.name.string.shellWord)` reads it without a limit."
        )
    }

    private func verification(until deadline: UInt64) -> Verification {
        Verification(
            workspace.folder, log: workspace.log, cancellation: workspace.cancellation, deadline: deadline, since: began
        ) { [progress = workspace.progress] in
            progress(Progress(.verifying, fraction: 0.99, detail: $0.detail))
        }
    }

    /// Whether its bytes are to be read from time to time: good ones, those that nobody vouches for, those that have another
    /// size than their sidecars say, which may be wrong, and those that are not any more what was found damaged.
    private func isToBeRead(_ item: CatalogueItem) -> Bool {
        if item.shapeFault != nil { return false }
        if item.isWhole || item.hasOtherSize { return copies.ownership.mayReuse(item) }
        if item.wasCondemnedAsAnother() { return item.sidecar?.stack == nil || copies.ownership.mayReuse(item) }
        return copies.isUnvouched(item)
    }

    /// One name of each file.
    private func due(_ postponed: PostponedReadings) -> [CatalogueItem] {
        let now = LocalTime.now()
        let start = MonotonicTime.nanoseconds()
        var due: [(item: CatalogueItem, read: Int64)] = []
        for item in copies.items where isToBeRead(item) {
            guard !due.contains(where: { $0.item.isSameFile(as: item) }) else { continue }
            // Folders are walked through as long as there is time for it; of the others the date has to do.
            let mayLook =
                MonotonicTime.seconds(since: start) < Self.longestLook && !workspace.cancellation.isCancelled
            let lastRead = mayLook ? item.lastReadLookingInside(now) : item.lastRead(now)
            let read: Int64
            if item.hasOtherSize {
                read = postponed.tried(item.name, now) ?? .min
            } else {
                read = item.status == .corrupt ? .min : lastRead ?? .min
            }
            if read < now.epoch - Self.age { due.append((item, read)) }
        }
        func age(_ item: CatalogueItem, _ read: Int64) -> (Int64, Int64) {
            let tried = postponed.tried(item.name, now) ?? .min
            return (max(read, tried), item.sidecar?.verifiedAt ?? .min)
        }
        return due.sorted { age($0.item, $0.read) < age($1.item, $1.read) }.map(\.item)
    }
}
