// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// Reads copies that nobody has read for a while, the oldest reading first: what a disk has lost is then found while
/// there is another copy.
struct Scrub {
    private let workspace: Workspace
    private let copies: Copies
    private let seconds: Double

    /// Seconds after which a copy is read again: a day before retention would have to.
    private static let age: Int64 = 6 * 86_400

    /// - Parameter seconds: how long it may take at most.
    init(_ workspace: Workspace, _ copies: Copies, atMost seconds: Double) {
        self.workspace = workspace
        self.copies = copies
        self.seconds = min(max(seconds, 0), 1e6)
    }

    /// - Returns: what a person should know; damage was recorded, too. Nothing that happens here fails a backup.
    func run() -> [BilingualText] {
        let deadline = MonotonicTime.nanoseconds() + UInt64(seconds * 1e9)
        var warnings: [BilingualText] = []
        do {
            for item in due() {
                guard MonotonicTime.nanoseconds() < deadline, !workspace.cancellation.isCancelled else { break }
                // Damage in one before it may have been its damage, too.
                guard try Catalogue(workspace.folder).item(named: item.name.string).isWhole else { continue }
                do { try verification(until: deadline).run(item) } catch  where error.isDamage {
                    warnings.append(Retention.damaged(item, error.bilingual))
                }
            }
        } catch is CancelledError {
            workspace.log.info("old copies are read another time", ["reason": "cancelled"])
        } catch is ReadObserver.TimeIsUp {
            workspace.log.info("old copies are read on another time", ["reason": "the time for it is up"])
        } catch {
            let reason = error.bilingual
            workspace.log.error("old copies could not be read", ["reason": reason.english])
            warnings.append(BilingualText(zh: "未能重新读取旧备份：", en: "Old backups could not be read again: ") + reason)
        }
        return warnings
    }

    private func verification(until deadline: UInt64) -> Verification {
        Verification(
            workspace.folder, log: workspace.log, cancellation: workspace.cancellation, deadline: deadline
        ) { [progress = workspace.progress] in
            progress(Progress(.verifying, fraction: 0.99, detail: $0.detail))
        }
    }

    /// One name of each file.
    private func due() -> [CatalogueItem] {
        let now = LocalTime.now()
        var due: [CatalogueItem] = []
        for item in copies.items where item.isWhole && copies.ownership.mayReuse(item) {
            guard (item.lastRead(now) ?? .min) < now.epoch - Self.age,
                !due.contains(where: { $0.isSameFile(as: item) })
            else { continue }
            due.append(item)
        }
        func age(_ item: CatalogueItem) -> (Int64, Int64) {
            (item.lastRead(now) ?? .min, item.sidecar?.verifiedAt ?? .min)
        }
        return due.sorted { age($0) < age($1) }
    }
}
