// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import SystemIO
import Wording

/// Which backup a person means: a number of the list, a name, or a file somewhere else that is taken in first.
struct BackupSelection {
    private let invocation: Invocation

    init(_ invocation: Invocation) { self.invocation = invocation }

    /// For looking only: a file given by its path is not copied into the folder.
    func contents(of text: String) throws -> BackupContents {
        if text.contains("/") { return BackupContents(archive: FilePath(text)) }
        let name = try name(of: text)
        return BackupContents(try invocation.operations.catalogue.item(named: name))
    }

    func name(of text: String) throws -> String {
        let catalogue = invocation.operations.catalogue
        if let index = Int(text), index > 0 {
            let items = try catalogue.items()
            guard index <= items.count else { throw BackupError.noSuchBackup(name: "#\(index)") }
            return items[index - 1].name.string
        }
        guard text.contains("/") else { return try catalogue.item(named: text).name.string }
        try invocation.operations.workspace.prepareFolder(for: .writing)
        let name = try catalogue.adopt(FilePath(text))
        invocation.console.note(
            BilingualText(zh: "已将 \(text) 复制到备份目录", en: "Copied \(text) into the backup folder"))
        return name.string
    }
}
