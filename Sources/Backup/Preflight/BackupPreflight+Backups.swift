// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// What is in the backup folder, and what restores have left: whose it is, and what a new backup would look like beside it.
extension BackupPreflight {
    /// What an interrupted restore left. An operation settles first what it can; what it cannot, as a journal that nobody can read,
    /// ends it.
    func checkSettled(_ findings: inout Findings) {
        // Where the folders cannot be looked at, others say so.
        guard findings.first(.backupFolder) == nil, (try? stack.refuseOutOfSight()) != nil else { return }
        let recovery = RecoverJob(workspace)
        if let error = isFollowed ? recovery.unsettleable() : recovery.unsettled() {
            findings.make(.settled) { throw error }
        }
    }

    /// Notices, and what would make the backup suspicious.
    func lookAtBackups(_ items: [CatalogueItem], _ findings: inout Findings) {
        noteKeptParts(&findings)
        // Whose the backups are, only the server tells; where it does not answer, that is told already.
        guard findings.first(.database) == nil, findings.first(.backupFolder) == nil else { return }
        guard let identity = try? StackIdentity(of: stack, on: stack.database.session().databases),
            let ownership = try? Ownership(of: identity, among: items, in: folder)
        else { return }
        findings.note(.ownBackups, ownership.warnings(items, artifacts: stack.artifacts))
        let marks = RootMarks(of: identity, among: items)
        for view in workspace.views where findings.first(.artifacts) == nil {
            findings.note(
                .artifacts, [findings.make(.artifacts) { try marks.check(view.stack) } ?? nil].compactMap(\.self))
        }
        if findings.first(.artifacts) == nil, let suspicion = foreseen(among: items, ownership) {
            findings.suspect(
                .artifacts,
                BilingualText(zh: "现在做的备份会被视为可疑：", en: "A backup made now would be suspicious: ") + suspicion.text
                    + BilingualText(
                        zh: "。请检查 artifacts 目录 \(stack.artifacts) 及其中的磁盘是否已挂载。",
                        en: ". Check that \(stack.artifacts) is the right folder, and that its disks are mounted."))
        }
    }

    private func noteKeptParts(_ findings: inout Findings) {
        do {
            let isServerThere = findings.first(.database) == nil
            for view in workspace.all {
                let parts = KeptParts(view)
                findings.note(.keptParts, try (isServerThere ? parts.identified() : parts).warnings())
            }
        } catch let error as BackupError {
            // A record that nobody can read keeps no backup from being made.
            findings.note(.keptParts, [error.explanation])
        } catch {
            // Where the artifacts folder or the backup folder cannot be read, another check says so.
        }
    }

    /// As far as it shows without a walk: nothing at all where there were files, or a disk that is not mounted.
    private func foreseen(among items: [CatalogueItem], _ ownership: Ownership) -> Suspicion? {
        let measuring = Suspicion.measures(among: items, ownership, now: .now())
        guard let first = measuring.first, let mounts = try? stack.allMounts() else { return nil }
        if let gone = Suspicion.unmounted(mounts, since: first) { return gone }
        guard (try? stack.holdsNoArtifacts()) == true else { return nil }
        let largest = measuring.max { ($0.summary?.files ?? 0) < ($1.summary?.files ?? 0) }
        guard let largest, let files = largest.summary?.files, files > 0 else { return nil }
        return Suspicion(measure: .files, found: 0, expected: Int64(files), than: largest.name)
    }
}

extension LiveStack {
    /// Whether there is nothing in the artifacts folder but what is ours.
    func holdsNoArtifacts() throws(SystemError) -> Bool {
        try Directory.names(in: artifacts).allSatisfy { Self.notArtifacts.contains($0) }
    }
}
