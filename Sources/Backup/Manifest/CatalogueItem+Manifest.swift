// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

extension CatalogueItem {
    /// The manifest without reading the whole archive; `nil` where only a whole reading would find it.
    /// - Throws: `BackupError.manifestUnreadable`, `SystemError`.
    func quickManifest() throws -> Manifest? {
        let bytes: [UInt8]?
        switch kind {
        case .compressed:
            do { bytes = try IndexedArchive(path).content(of: .manifest) } catch is ArchiveError { return nil }
        case .uncompressed:
            let file = try OpenFile(path.appending(ArchiveLayout.manifestName), .readNoFollow)
            // A device may have no end.
            guard try file.status().kind == .file else {
                throw BackupError.manifestUnreadable(
                    backup: name.string, reason: .init(zh: "不是文件", en: "it is not a file"))
            }
            bytes = try file.readAll()
        }
        return try bytes.map { try Manifest(decoding: $0, backup: name.string) }
    }

    /// Whose a backup without a sound sidecar is, for all that its manifest says, or what is left of its sidecar where that
    /// cannot be read; `nil` where neither tells.
    func noticedOwner(in folder: BackupFolder) -> StackIdentity? {
        if let manifest = try? quickManifest() { return manifest.stack }
        return SidecarFile.remainingOwner(of: name, in: folder)
    }
}
