// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO

/// What a killed restore left in the artifacts folder and no journal names. Under both locks, after the recovery.
struct StrayParts {
    private let workspace: Workspace
    private let databases: Databases

    init(_ workspace: Workspace, _ databases: Databases) {
        self.workspace = workspace
        self.databases = databases
    }

    /// Nothing it meets stops the operation it comes before.
    func clear() {
        do {
            let folder = KeptParts(workspace.stack).folder
            guard try FileStatus.ifPresent(folder) != nil else { return }
            for name in try Directory.names(in: folder) {
                let text = String(decoding: name, as: UTF8.self)
                if text.hasPrefix("work-") {
                    try clearWork(folder.appending(name))
                } else if text.hasPrefix("journal.json."), text.hasSuffix(DurableFile.partialSuffix) {
                    try Directory.removeTree(folder.appending(name))
                }
            }
            if try Directory.names(in: folder).isEmpty { try Directory.removeTree(folder) }
        } catch {
            workspace.log.warning("a leftover of a restore stays", ["reason": error.bilingual[.english]])
        }
    }

    /// A restore's own folder without a journal. What it had unpacked is in its backup. What it had put aside was live
    /// once, and becomes a kept part.
    private func clearWork(_ work: FilePath) throws {
        let aside = work.appending("old")
        if try FileStatus.ifPresent(aside) == nil || Directory.names(in: aside).isEmpty {
            return try Directory.removeTree(work)
        }
        let id = String(decoding: work.lastComponent.dropFirst("work-".utf8.count), as: UTF8.self)
        if try KeptPart.read(in: work) == nil {
            try KeptPart(
                id: id, backup: "", mode: .artifacts, replacedAt: LocalTime.now().epoch, stack: nil, databaseOID: nil,
                database: nil, coveredBy: nil, coveredUntil: nil, replaced: NewerData(), mark: nil, broughtIn: nil,
                carried: [], aside: []
            ).write(in: work)
        }
        try Directory.renameWithoutReplacing(work, to: KeptParts(workspace.stack).folder(of: id))
        workspace.log.warning("what a restore had put aside without a journal is kept", ["kept": id])
    }
}
