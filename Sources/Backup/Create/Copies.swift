// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What the new backup is made beside: the copies in the folder, and whose they are.
struct Copies {
    let identity: StackIdentity
    /// When the operation began: what was read since then was read now.
    let started = LocalTime.now()
    private let job: BackupJob

    init(_ job: BackupJob, _ identity: StackIdentity) throws {
        self.job = job
        self.identity = identity
        do { try Chains.settle(in: job.folder) } catch {
            // They can be told another time, less well once the oldest are gone.
            job.log.warning("the chains of older backups are not written down", ["reason": error.bilingual.english])
        }
    }

    func items() throws -> [CatalogueItem] { try Catalogue(job.folder).items() }

    func ownership() throws -> Ownership {
        try Ownership(of: identity, among: items(), in: job.folder)
    }

    /// What the new backup may take bytes over from.
    /// - Returns: `nil` where there is none, or where an independent backup is due: bytes that thirty archives share have
    ///   one physical copy.
    func base() throws -> (base: ReuseBase, oneCopy: BilingualText?)? {
        let every = job.options.retention.fullEvery(job.options.fullEvery)
        guard every > 1, let base = ReuseBase.newest(job.options.kind, among: try items(), try ownership()) else {
            return nil
        }
        guard base.generation >= every else { return (base, nil) }
        let space = try DiskSpace.at(job.folder.path)
        guard space.available <= base.item.size else { return nil }
        job.log.warning(
            "no room for an independent copy", ["needed": base.item.size, "available": space.available])
        return (
            base,
            BilingualText(
                zh: "空间不足以再做一个独立的备份（需要约 \(HumanUnits.size(base.item.size))，可用 \(HumanUnits.size(space.available))）："
                    + "未改变的数据目前只有一份物理副本。",
                en: "There is no room for an independent backup (about \(HumanUnits.size(base.item.size)) needed, "
                    + "\(HumanUnits.size(space.available)) available): what did not change has one physical copy.")
        )
    }

    /// What is left alone because it is another stack's, and what a restore kept and no backup holds.
    func warnings() throws -> [BilingualText] {
        let foreign = try ownership().foreignWarning(items()).map { [$0] } ?? []
        do { return foreign + (try KeptParts(job.workspace).warnings()) } catch {
            return foreign + [
                BilingualText(zh: "恢复保留的数据无法查看：", en: "What restores have kept cannot be looked at: ") + error.bilingual
            ]
        }
    }
}
