// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import Glibc
import SystemIO
import Wording

extension Verification {
    /// What one reading of a file found is true of each of its names.
    func recordGood(_ sidecar: Sidecar, of item: CatalogueItem) throws {
        try sidecar.write(in: folder)
        for other in try otherNames(of: item) {
            guard var known = other.sidecar else { continue }
            guard Self.isOnePublication(known, item.sidecar) || Self.isOnePublication(known, sidecar) else {
                try writeDamage(
                    BilingualText(
                        zh: "它现在是 \(item.name) 的文件，不是发布时的那个",
                        en: "it is the file of \(item.name) now, and not the one that was published"), of: other,
                    sidecar.readFile)
                log.error("another file has taken its place", ["name": other.name, "is now": item.name])
                continue
            }
            known.size = sidecar.size
            known.sha256 = sidecar.sha256
            known.indexSHA256 = sidecar.indexSHA256
            known.indexOffset = sidecar.indexOffset
            known.verifiedAt = sidecar.verifiedAt
            known.readFile = sidecar.readFile
            known.status = known.goodStatus
            known.damage = nil
            try known.write(in: folder)
        }
    }

    /// - Parameter mark: which file that is true of; `nil` where only the listing knows.
    func recordDamage(
        _ reason: BilingualText, of item: CatalogueItem, _ mark: String?, _ draft: Sidecar? = nil
    ) throws {
        try writeDamage(reason, of: item, mark, draft)
        for other in try otherNames(of: item) {
            if let known = other.sidecar, let own = item.sidecar, !Self.isOnePublication(known, own) { continue }
            try writeDamage(reason, of: other, mark)
            log.error("it is another name of a damaged file", ["name": other.name, "of": item.name])
        }
    }

    /// Names of one file may have been names of several, before somebody linked one over another.
    private static func isOnePublication(_ one: Sidecar, _ other: Sidecar?) -> Bool {
        guard let other, Digest(hex: one.sha256) != nil, Digest(hex: other.sha256) != nil else { return true }
        return one.sha256 == other.sha256 || one.indexSHA256 != nil && one.indexSHA256 == other.indexSHA256
    }

    private func otherNames(of item: CatalogueItem) throws -> [CatalogueItem] {
        // A folder has one name; its files may have many, and what shares them is in its chain.
        guard item.kind == .compressed else { return [] }
        return try Catalogue(folder).items().filter { $0.name != item.name && $0.isSameFile(as: item) }
    }

    private func writeDamage(
        _ reason: BilingualText, of item: CatalogueItem, _ mark: String?, _ draft: Sidecar? = nil
    ) throws {
        var sidecar = item.sidecar ?? draft ?? withoutSidecar(item)
        sidecar.status = .corrupt
        sidecar.damage = reason
        // Another file, or what this one becomes, is not condemned with it.
        sidecar.readFile = mark ?? item.mark
        try sidecar.write(in: folder)
    }

    /// Of one that has no sound one: whatever its bytes are shared with. It is of whoever put it here, unless what is left
    /// of its sidecar says that it is ours, as after a good reading.
    private func withoutSidecar(_ item: CatalogueItem) -> Sidecar {
        let isOurs = item.sidecarFault == .damaged(isOurs: true)
        return Sidecar(
            name: item.name.string, type: item.kind, status: .corrupt, reason: nil, size: item.size, sha256: "",
            indexOffset: 0, createdAt: item.created.epoch, verifiedAt: 0, adopted: !isOurs, durationSeconds: nil,
            summary: nil, stack: isOurs ? item.noticedOwner(in: folder) : nil, chain: Chains.unknown)
    }
}

extension Error {
    /// Whether it says that a backup is not what was published.
    var isDamage: Bool {
        // What a newer program made is whole, as far as anybody knows.
        if isOfNewerFormat { return false }
        if self is ArchiveError { return true }
        if case .manifestUnreadable? = self as? BackupError { return true }
        return false
    }
}

extension Error {
    var isOfNewerFormat: Bool { if case .newerFormat? = self as? ArchiveError { true } else { false } }
}

extension SystemError {
    /// Whether it is about this file or folder, or what lies in it.
    func isInside(_ place: FilePath) -> Bool { path == place.string || path.hasPrefix(place.string + "/") }

    /// Whether a part of the backup that lies there cannot be had, which says nothing of the others.
    func isLoss(in backup: FilePath) -> Bool { isInside(backup) && (isLostData || isNotFound || isOfAnotherKind) }
}
