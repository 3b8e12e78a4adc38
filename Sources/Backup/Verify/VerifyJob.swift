// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// Reads one backup from its first byte to its last, and records what was found.
package struct VerifyJob: Sendable {
    private let workspace: Workspace
    private let rate: ReadRate?

    /// A backup that was read and found good.
    package struct Outcome: Sendable {
        /// As it is listed now.
        package let item: CatalogueItem
        /// SHA-256 of the archive in hexadecimal digits, as it was read now.
        package let digest: String
        /// What was wrong in its sidecar, and has been put right.
        package let notes: [BilingualText]
    }

    /// - Parameter rate: slows the reading down; `nil` for no limit.
    package init(_ workspace: Workspace, rate: ReadRate? = nil) {
        self.workspace = workspace
        self.rate = rate
    }

    /// - Throws: `BackupError.noSuchBackup`; `ArchiveError` and `BackupError.manifestUnreadable` for damage, which has
    ///   then been recorded.
    package func run(_ name: String) throws -> Outcome {
        try workspace.holdingFolder("verification of \(name)", for: .reading) {
            let catalogue = Catalogue(workspace.folder)
            let found = try read(try catalogue.item(named: name))
            return Outcome(item: try catalogue.item(named: name), digest: found.digest, notes: found.notes)
        }
    }

    /// In a folder that nobody can write to, or on a full disk, the reading is what matters, and what it found is said each time anew.
    private func read(_ item: CatalogueItem) throws -> (digest: String, notes: [BilingualText]) {
        do {
            let found = try Verification(
                workspace.folder, log: workspace.log, cancellation: workspace.cancellation, rate: rate,
                progress: workspace.progress
            ).run(item)
            return (found.sidecar.sha256, found.notes)
        } catch let error as Verification.NotRecorded {
            guard let reason = why(error.reason) else { throw error }
            return (error.digest, [Self.notRecorded(reason)])
        } catch let error as Verification.DamageNotRecorded {
            guard let reason = why(error.reason) else { throw error }
            workspace.log.error("damage is not noted", ["name": item.name, "reason": reason.english])
            throw error.cause
        }
    }

    /// Why what was found cannot be written down, where that is no failure of the reading: it is said.
    private func why(_ error: SystemError) -> BilingualText? {
        if let protection = workspace.folder.writeProtection {
            return BilingualText(
                zh: "备份目录只能读（\(protection.reason.chinese)）",
                en: "the backup folder can only be read (\(protection.reason.english))")
        }
        guard error.isFull || error.isDenied else { return nil }
        return BilingualText(zh: "\(error.path)：\(error.reasonText.chinese)", en: "\(error.path): \(error.reason)")
    }

    private static func notRecorded(_ reason: BilingualText) -> BilingualText {
        BilingualText(
            zh: "校验结果没有记录，因为\(reason.chinese)", en: "that it is good is not recorded, because \(reason.english)")
    }
}
