// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What the new backup is made beside: the copies in the folder, and whose they are.
///
/// The folder is read once, and once more by `look` after this operation changed something in it: under its lock nobody
/// else does, and with thousands of backups each reading takes a noticeable part of a second.
struct Copies {
    let identity: StackIdentity
    /// When the operation began: what was read since then was read now.
    let started = LocalTime.now()
    /// Newest first.
    private(set) var items: [CatalogueItem]
    private(set) var ownership: Ownership
    /// Backups of ours without a sound sidecar when the operation began: nobody vouches for them.
    private(set) var unvouched: [CatalogueItem] = []
    private let job: BackupJob
    /// - Parameter items: the catalogue as it is now.
    init(_ job: BackupJob, _ identity: StackIdentity, _ items: [CatalogueItem]) throws {
        self.job = job
        self.identity = identity
        self.items = items
        ownership = try Ownership(of: identity, among: items, in: job.folder)
        unvouched = items.filter { $0.sidecar == nil && $0.mayBe(of: identity, in: job.folder) }
        guard items.contains(where: { $0.sidecar != nil && $0.sidecar?.chain == nil }) else { return }
        do { try Chains.settle(in: job.folder) } catch {
            // They can be told another time, less well once the oldest are gone.
            job.log.warning("the chains of older backups are not written down", ["reason": error.bilingual.english])
        }
        try look()
    }

    /// Reads the folder again.
    mutating func look() throws {
        items = try Catalogue(job.folder).items()
        ownership = try Ownership(of: identity, among: items, in: job.folder)
    }

    /// Whether it was one of them when the operation began, and nobody has read it since.
    func isUnvouched(_ item: CatalogueItem) -> Bool {
        item.sidecar == nil && unvouched.contains { $0.name == item.name }
    }

    func item(named name: BackupName) throws -> CatalogueItem {
        guard let item = items.first(where: { $0.name == name }) else {
            throw BackupError.noSuchBackup(name: name.string)
        }
        return item
    }

    /// - Returns: whether one of ours that was good when the folder was read last is damaged now.
    mutating func lookForDamage() throws -> Bool {
        let known = Set(damaged().map(\.name))
        try look()
        return damaged().contains { !known.contains($0.name) }
    }

    /// Those of ours, newest first.
    private func damaged() -> [CatalogueItem] {
        items.filter { $0.status == .corrupt && $0.sidecar?.adopted == false && ownership.mayReuse($0) }
    }

    /// How many good ones of ours there are that are known to share no bytes.
    /// - Parameter made: counts whatever its date is. What is dated in the future otherwise does not.
    func goodCopies(beside made: BackupName? = nil) -> Int {
        let (now, chains) = (LocalTime.now(), Chains(items))
        let good = items.filter {
            $0.status == .completed && $0.sidecar?.adopted == false && ownership.mayReuse($0)
                && ($0.created <= now || $0.name == made)
        }
        return chains.count(good)
    }

    /// How many there should be.
    var wantedCopies: Int { job.options.retention.keepsOne ? 1 : 2 }

    /// What the new backup may take bytes over from.
    /// - Returns: no base where there is none, or where an independent backup is due: bytes that thirty archives share have
    ///   one physical copy, and where one was damaged, or lost its sidecar, and no second one is good, so have those of two.
    ///   And what a person should know of that.
    func base() throws -> (base: ReuseBase?, note: BilingualText?) {
        let every = job.options.retention.fullEvery(job.options.fullEvery)
        guard every > 1, let base = ReuseBase.newest(job.options.kind, among: items, ownership) else {
            return (nil, nil)
        }
        let shortOf = (damaged() + unvouched).first.flatMap { goodCopies() < wantedCopies ? $0 : nil }
        guard base.generation >= every || shortOf != nil else { return (base, nil) }
        let space = try DiskSpace.at(job.folder.path)
        // The dump lies beside it until it is written.
        let needed = base.item.size.adding(clamped: (try? base.item.dumpSize())??.bytes ?? 0)
        guard space.available <= needed else {
            guard let shortOf else { return (nil, nil) }
            job.log.warning("a copy is made up for by a whole new backup", ["instead_of": shortOf.name])
            // What is wrong with the others is told by itself.
            return (nil, shortOf.status == .corrupt ? Self.madeUpFor(shortOf) : nil)
        }
        job.log.warning(
            "no room for an independent copy", ["needed": needed, "available": space.available])
        let (most, available) = HumanUnits.sizes(needed: needed, available: space.available)
        return (
            base,
            BilingualText(
                zh: "空间不足以再做一个独立的备份（需要约 \(most)，可用 \(available)）：未改变的数据目前只有一份物理副本。",
                en:
                    "There is no room for an independent backup (about \(most) needed, \(available) available): what did not "
                    + "change has one physical copy.")
        )
    }

    private static func madeUpFor(_ damaged: CatalogueItem) -> BilingualText {
        BilingualText(
            zh: "备份 \(damaged.name) 已损坏，完好的独立备份不足两份：新的备份完全由源数据生成。"
                + "请检查磁盘；不再需要时请按名称删除损坏的备份。",
            en:
                "The backup \(damaged.name) is damaged and there were not two good independent ones, so the new one "
                + "is made wholly from the live data. Check the disk, and delete the damaged one by name once nobody "
                + "needs it.")
    }

    /// Whose the backups are, what nobody vouched for, and what a restore kept and no backup holds.
    func warnings() -> [BilingualText] {
        let told = ownership.warnings(items, artifacts: job.stack.artifacts) + damagedToLookAt() + withoutSidecar()
        do { return told + (try job.workspace.keptWarnings(of: identity)) } catch {
            return told + [
                BilingualText(zh: "恢复保留的数据无法查看：", en: "What restores have kept cannot be looked at: ") + error.bilingual
            ]
        }
    }

    /// Told each time, as long as it is so. Whose one without a sidecar was, nobody can tell.
    private func damagedToLookAt() -> [BilingualText] {
        let damaged = items.filter { $0.isDamagedToLookAt && ($0.sidecar?.stack == nil || ownership.mayReuse($0)) }
        guard let first = damaged.first else { return [] }
        let reason = first.reason ?? .empty
        return [
            BilingualText(
                zh: "备份 \(first.name) 已损坏：\(reason.chinese)。这样的备份共 \(damaged.count) 个。仍在复制的，复制完成后会自动恢复正常；"
                    + "其他的请检查磁盘，不再需要时请按名称删除。",
                en:
                    "The backup \(first.name) is damaged: \(reason.english). In all \(damaged.count) are damaged to look at. One that "
                    + "is still being copied here becomes good by itself once it is whole; for others check the disk, and "
                    + "delete them by name once nobody needs them.")
        ]
    }

    private func withoutSidecar() -> [BilingualText] {
        let unread = unvouched.filter { !$0.isDamagedToLookAt }
        guard let first = unread.first else { return [] }
        return [
            BilingualText(
                zh: "\(unread.count) 个由本系统生成的备份缺少完好的 sidecar，例如 \(first.name)：读取之前不算完好的副本，它们会随旧副本一起被读取。"
                    + "其中 sidecar 缺失的备份此后不再自动删除，不需要时请按名称删除。",
                en:
                    "\(unread.count) backups of this stack have no sound sidecar, such as \(first.name): until they are read "
                    + "they are no good copies. They are read with the old copies. Those whose sidecar was lost are not removed by "
                    + "themselves any more after that; delete them by name if nobody needs them.")
        ]
    }
}

extension CatalogueItem {
    /// Whether its manifest says that this stack made it. Where that cannot be read, as in one that was cut short, what is
    /// left of its sidecar is asked, and then its name: only a reading tells that it is damaged, and nobody else would read
    /// it. What else a person put here may be anything.
    fileprivate func mayBe(of stack: StackIdentity, in folder: BackupFolder) -> Bool {
        let isNotedAsOurs = sidecarFault == .damaged(isOurs: true)
        if let manifest = try? quickManifest() {
            if let owner = manifest.stack { return owner.isSameStack(as: stack) }
            return isNotedAsOurs && manifest.database.name == stack.database
        }
        if isNotedAsOurs, let owner = SidecarFile.remainingOwner(of: name, in: folder) {
            return owner.isSameStack(as: stack)
        }
        return isNotedAsOurs || name.isOfOurForm(kind)
    }
}
