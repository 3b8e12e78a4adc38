// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

extension CatalogueItem {
    /// The manifest without reading the whole archive; `nil` where only a whole reading would find it.
    /// - Throws: `BackupError.manifestUnreadable`, `SystemError`.
    func quickManifest() throws -> Manifest? {
        let bytes: [UInt8]?
        switch kind {
        case .compressed:
            do { bytes = try IndexedArchive(path).content(of: .manifest) } catch is ArchiveError { return nil }
        case .uncompressed:
            bytes = try OpenFile(path.appending(ArchiveLayout.manifestName), .readNoFollow).readAll()
        }
        return try bytes.map { try Manifest(decoding: $0, backup: name.string) }
    }
}
