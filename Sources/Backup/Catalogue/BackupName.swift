// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The name of a backup: one component, never a path.
package struct BackupName: Sendable, Hashable, CustomStringConvertible {
    package let string: String

    package var description: String { string }
    package static let prefix = "mlflow_backup_"
    package static let archiveSuffix = ".tar.gz"
    package static let sidecarSuffix = ".json"

    package enum Kind: String, Sendable, Codable { case compressed, uncompressed }

    /// The name of a backup that begins now.
    package init(at time: LocalTime, _ kind: Kind) {
        string = Self.prefix + time.stamp + (kind == .compressed ? Self.archiveSuffix : "")
    }

    /// A name found in the folder, or given by a person. Whether it exists is the catalogue's to say.
    package init?(_ name: String) {
        guard !name.isEmpty, name.utf8.count <= 255, !name.hasPrefix("."),
            !name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 < 0x20 || $0 == 0x7f }),
            !name.hasSuffix(DurableFile.partialSuffix)
        else { return nil }
        string = name
    }

    /// The moment in the name, where it has one.
    package var time: LocalTime? {
        guard string.hasPrefix(Self.prefix) else { return nil }
        return LocalTime(stamp: String(string.dropFirst(Self.prefix.count).prefix(15)))
    }

    /// Whether we could have given it to a backup of this kind, whole.
    func isOfOurForm(_ kind: Kind) -> Bool {
        guard time != nil else { return false }
        let stamp = string.dropFirst(Self.prefix.count).prefix(15)
        return string == Self.prefix + stamp + (kind == .compressed ? Self.archiveSuffix : "")
    }

    var sidecar: String { string + Self.sidecarSuffix }
    package var isArchive: Bool { string.hasSuffix(Self.archiveSuffix) || string.hasSuffix(".tgz") }
}
