// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// What lies under a name in the backup folder, by its looks: a backup, what is left of one, or a thing of somebody else.
///
/// What once was a backup must not vanish from the list because a part of it did: nobody would hear of it. It is listed
/// where its name is one that we give, a sidecar of it lies beside it, or two of its parts are left.
struct BackupShape {
    let kind: BackupName.Kind
    /// What it lacks, or is instead of a backup; `nil` for one that looks whole.
    let fault: String?

    /// - Parameter sidecar: asked only where nothing else tells.
    /// - Returns: `nil` for what is none.
    init?(_ name: BackupName, _ path: FilePath, _ status: FileStatus, sidecar: @autoclosure () -> SidecarFile) {
        switch status.kind {
        case .file where name.isArchive: (kind, fault) = (.compressed, nil)
        // Sidecars have none of their own.
        case .file where name.string.hasSuffix(BackupName.sidecarSuffix): return nil
        case .directory:
            let parts = FolderParts(path)
            if !parts.areWhole, Self.kind(name, sidecar) == .compressed {
                (kind, fault) = (.compressed, Self.isNot(.file, status.kind))
            } else {
                guard parts.present > 1 || Self.kind(name, sidecar) == .uncompressed else { return nil }
                (kind, fault) = (.uncompressed, parts.fault)
            }
        case .file, .symbolicLink, .other:
            guard let made = Self.kind(name, sidecar) else { return nil }
            (kind, fault) = (made, Self.isNot(made == .compressed ? .file : .directory, status.kind))
        }
    }

    private static func isNot(_ wanted: FileStatus.Kind, _ found: FileStatus.Kind) -> String {
        "it is \(found.words) and not \(wanted.words)"
    }

    /// Of which kind a backup of this name was; `nil` where neither the name nor a sidecar says that there was one.
    private static func kind(_ name: BackupName, _ sidecar: () -> SidecarFile) -> BackupName.Kind? {
        if name.isOfOurForm(.compressed) { return .compressed }
        if name.isOfOurForm(.uncompressed) { return .uncompressed }
        switch sidecar() {
        case .sound(let sidecar), .mended(let sidecar): return sidecar.type
        case .damaged(isOurs: true): return name.isArchive ? .compressed : .uncompressed
        // A person's own file may have such a name.
        case .damaged(isOurs: false), .missing, .unreadable: return nil
        }
    }
}

/// The parts that each uncompressed backup has.
private struct FolderParts {
    private static let parts: [(name: String, kind: FileStatus.Kind)] = [
        (ArchiveLayout.manifestName, .file), (ArchiveLayout.databaseFolder, .directory),
        (ArchiveLayout.indexName, .file),
    ]

    /// How many there are, of whatever kind.
    private(set) var present = 0
    private var faults: [String] = []

    init(_ folder: FilePath) {
        for (name, kind) in Self.parts {
            do throws(SystemError) {
                guard let status = try FileStatus.ifPresent(folder.appending(name)) else {
                    faults.append("it has no \(name)")
                    continue
                }
                present += 1
                if status.kind != kind { faults.append("its \(name) is \(status.kind.words) and not \(kind.words)") }
            } catch {
                // What may not be looked at is neither there nor missing: a reading says why.
            }
        }
    }

    var areWhole: Bool { present == Self.parts.count && faults.isEmpty }
    var fault: String? { faults.isEmpty ? nil : faults.joined(separator: "; ") }
}
