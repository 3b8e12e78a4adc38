// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Removes kept parts whose time is over, or which take more room than there is for them, and whose every content is
/// provably in a verified backup. Under both locks, as a step of its own: nothing it meets stops the operation it comes
/// before.
struct KeptExpiry {
    private let workspace: Workspace
    private let hold: Hold
    private let parts: KeptParts

    /// Seconds between two comparisons of a part that stayed because of what is in it: each one reads its files.
    private static let patience: Int64 = 20 * 3600

    init(_ workspace: Workspace, _ hold: Hold) {
        self.workspace = workspace
        self.hold = hold
        parts = KeptParts(workspace, of: hold.identityIfKnown(in: workspace))
    }

    /// Before an operation.
    /// - Parameter spared: the identifier of a part that the operation is about.
    func run(sparing spared: String? = nil) {
        do {
            for part in try removable().reversed() where part.id != spared && (isOver(part) || isHalfGone(part)) {
                _ = try consider(part)
            }
            try keepBound()
        } catch {
            workspace.log.warning("kept parts could not be looked at", ["reason": error.bilingual[.english]])
        }
    }

    /// Without those that go with another one, as long as that is there: an undo brings all of them back, or none.
    private func removable() throws -> [KeptPart] {
        try parts.all().filter { part in
            // A removal that was cut short is finished, whatever it belongs to.
            guard part.isBeingRemoved != true, let first = part.follows else { return true }
            return try !KeptPart.hasRecord(first, in: workspace.firstState)
        }
    }

    /// After a restore or an undo has made one.
    /// - Returns: what a person has to hear of now.
    func afterSwap() -> [BilingualText] {
        do { try countNewest() } catch {
            // Without it an undo cannot tell what somebody took out of it deeper down.
            workspace.log.info("what is kept could not all be counted", ["reason": error.bilingual[.english]])
        }
        guard workspace.keepBytes != nil else { return [] }
        do {
            try keepBound()
            return [parts.tooLarge(try parts.all())].compactMap { $0 }
        } catch {
            workspace.log.warning("kept parts could not be counted", ["reason": error.bilingual[.english]])
            return []
        }
    }

    /// So that an undo can tell whether somebody has taken something out of it.
    private func countNewest() throws {
        guard var newest = try parts.all().first, newest.entries == nil, newest.mode.includesArtifacts,
            try FileStatus.ifPresent(parts.tree(of: newest)) != nil
        else { return }
        newest.entries = try BroughtTree.entries(of: parts.tree(of: newest), workspace.cancellation)
        try newest.write(in: workspace.state)
    }

    /// Lets parts go before their time, oldest first, until there is room; none where all that may go would not be enough.
    /// - Parameter lacking: bytes that are lacking now.
    func makeRoom(lacking: () throws -> UInt64) throws {
        var missing = try lacking()
        guard missing > 0 else { return }
        let all = try removable()
        let sizes = try KeptSizes(parts, hold.databases, all, cancellation: workspace.cancellation)
        // What databases hold may be another disk's.
        guard all.reduce(0, { $0.adding(clamped: sizes[$1].files) }) >= missing else { return }
        let coverage = KeptCoverage(workspace: workspace, databases: hold.databases)
        let free = try all.reversed().filter {
            try sizes[$0].files > 0 && coverage.missingAsFarAsKnown($0).texts.isEmpty
        }
        guard free.reduce(0, { $0.adding(clamped: sizes[$1].files) }) >= missing else { return }
        for part in free where missing > 0 {
            if try consider(part) { missing = try lacking() }
        }
    }

    /// Lets the oldest part go that has a database and may go.
    /// - Returns: whether there was one.
    func removeOldestDatabase() throws -> Bool {
        for part in try parts.all().reversed() where part.database != nil {
            if try consider(part) { return true }
        }
        return false
    }

    /// The oldest go before their time while all together hold more than they may. The newest stays: somebody may want to
    /// take back the restore that has just been made.
    private func keepBound() throws {
        guard let bound = workspace.keepBytes else { return }
        var all = try parts.all()
        guard !all.isEmpty, all.count > 1 || all[0].bytes == nil else { return }
        let sizes = try KeptSizes(parts, hold.databases, all, cancellation: workspace.cancellation)
        for (id, reason) in sizes.unreadable {
            workspace.log.warning("what is kept could not all be counted", ["kept": id, "reason": reason[.english]])
        }
        for index in all.indices
        where all[index].bytes != sizes[all[index]].all && sizes.unreadable[all[index].id] == nil {
            all[index].bytes = sizes[all[index]].all
            try all[index].write(in: workspace.state)
        }
        var total = sizes.total
        let removable = Set(try removable().map(\.id))
        for part in all.dropFirst().reversed()
        where total > bound && isToBeRead(part) && removable.contains(part.id) {
            if try consider(part) { total -= min(total, sizes[part].all) }
        }
    }

    /// By the wall clock, where the machine was started again since, which may have jumped: a part that seems to be of the
    /// future has just been made.
    private func isOver(_ part: KeptPart) -> Bool {
        part.replacedMoment.age(at: .now()) >= workspace.keepSeconds && isToBeRead(part)
    }

    /// A removal was cut short: nobody can take that restore back any more.
    private func isHalfGone(_ part: KeptPart) -> Bool { part.isBeingRemoved == true && isToBeRead(part) }

    private func isToBeRead(_ part: KeptPart) -> Bool {
        let now = LocalTime.now().epoch
        return part.checkedAt.map { Self.age(of: $0, now) >= Self.patience || $0 > now } ?? true
    }

    /// Seconds; less than none for a time in the future. The record may say anything.
    private static func age(of time: Int64, _ now: Int64) -> Int64 {
        let (age, overflow) = now.subtractingReportingOverflow(time)
        return overflow ? -1 : age
    }

    /// What one part meets keeps no other from going.
    /// - Returns: whether it is gone.
    private func consider(_ part: KeptPart) throws -> Bool {
        do { return try removeIfCovered(part) } catch let error as CancelledError { throw error } catch {
            workspace.log.warning(
                "a kept part could not be looked at", ["kept": part.id, "reason": error.bilingual[.english]])
            return false
        }
    }

    private func removeIfCovered(_ part: KeptPart) throws -> Bool {
        // What somebody moved away may come back, and is told as long as it is not there.
        if part.isBeingRemoved != true, try parts.lacksFiles(part) { return false }
        let coverage = KeptCoverage(workspace: workspace, databases: hold.databases)
        var (missing, isKnown) = try coverage.missingAsFarAsKnown(part)
        if missing.isEmpty, let damage = try damageOfCover(of: part) { missing = [damage] }
        guard missing.isEmpty else {
            var noted = part
            // What was done to its database by hand may be undone at any time, and is seen without reading anything.
            let isByHand = try parts.state(of: part, on: hold.databases).isByHand
            noted.checkedAt = isByHand || !isKnown ? nil : LocalTime.now().epoch
            noted.missing = NewerData(missing)
            try noted.write(in: workspace.state)
            workspace.log.warning(
                "a kept part stays: no backup holds all of it",
                ["kept": part.id, "such as": missing[0][.english], "to remove it": "mlflow-backup forget \(part.id)"])
            return false
        }
        do {
            try parts.remove(part, on: hold.databases)
            workspace.log.info("removed a kept part", ["kept": part.id, "covered by": part.coveredBy ?? ""])
            return true
        } catch {
            var noted = try KeptPart.read(part.id, in: workspace.state) ?? part
            noted.obstacle = NewerData([error.bilingual])
            try noted.write(in: workspace.state)
            workspace.log.warning(
                "a kept part could not be removed",
                [
                    "kept": part.id, "reason": error.bilingual[.english],
                    "to do": "mend the reason, then it goes by itself: \(parts.folder(of: part.id))",
                ])
            return false
        }
    }

    /// The index says what the covering backup holds; only a reading says that it still does.
    private func damageOfCover(of part: KeptPart) throws -> BilingualText? {
        guard let name = part.coveredBy else { return nil }
        do {
            let item = try Catalogue(workspace.folder).item(named: name)
            try Verification(workspace.folder, log: workspace.log, cancellation: workspace.cancellation).run(item)
        } catch is Verification.NotRecorded {
            // It was read, which is what matters here.
        } catch let error as CancelledError {
            throw error
        } catch {
            return BilingualText(
                zh: "包含其内容的备份 \(name) 无法读取：", en: "the backup \(name) that holds it cannot be read: ") + error.bilingual
        }
        return nil
    }
}
