// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Wording

/// What lies under a name in the backup folder, by its looks: a backup, what is left of one, or a thing of somebody else.
///
/// What once was a backup must not vanish from the list because a part of it did: nobody would hear of it. It is listed
/// where its name is one that we give, or a sidecar of it lies beside it. Of a folder of another name, that a person gave it,
/// all parts are there, or all but the index and a manifest of ours: a person's own things may have a part's name, too.
struct BackupShape {
    let kind: BackupName.Kind
    /// What it lacks, or is instead of a backup; `nil` for one that looks whole.
    let fault: BilingualText?

    /// - Parameter sidecar: asked only where nothing else tells.
    /// - Returns: `nil` for what is none.
    init?(_ name: BackupName, _ path: FilePath, _ status: FileStatus, sidecar: @autoclosure () -> SidecarFile) {
        switch status.kind {
        case .file where name.isArchive: (kind, fault) = (.compressed, nil)
        // Sidecars have none of their own.
        case .file where name.string.hasSuffix(BackupName.sidecarSuffix): return nil
        case .directory:
            let parts = FolderParts(path)
            let made = parts.areWhole ? .uncompressed : Self.kind(name, sidecar)
            if made == .compressed {
                (kind, fault) = (.compressed, Self.isNot(.file, status.kind))
            } else {
                guard made == .uncompressed || parts.haveAllButTheIndex && Self.hasManifest(path) else { return nil }
                (kind, fault) = (.uncompressed, parts.fault)
            }
        case .file, .symbolicLink, .other:
            guard let made = Self.kind(name, sidecar) else { return nil }
            (kind, fault) = (made, Self.isNot(made == .compressed ? .file : .directory, status.kind))
        }
    }

    private static func isNot(_ wanted: FileStatus.Kind, _ found: FileStatus.Kind) -> BilingualText {
        BilingualText(zh: "", en: "it ") + found.text(insteadOf: wanted)
    }

    /// Whether the manifest of a folder is one of ours, for all that can be told.
    private static func hasManifest(_ folder: FilePath) -> Bool {
        do {
            let file = try OpenFile(folder.appending(ArchiveLayout.manifestName), .readNoFollow)
            guard try file.status().kind == .file else { return false }
            _ = try Manifest(decoding: try file.readAll(limit: longestManifest), backup: folder.string)
            return true
        } catch let error as SystemError {
            // A disk that does not give it says nothing against it.
            return error.isLostData
        } catch { return false }
    }

    /// Bytes. Who names each file that was left out may have many.
    private static let longestManifest = 16 << 20

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

    /// Those that are what they must be, in the order above.
    private var right: [String] = []
    private var faults: [BilingualText] = []

    init(_ folder: FilePath) {
        for (name, kind) in Self.parts {
            do throws(SystemError) {
                guard let status = try FileStatus.ifPresent(folder.appending(name)) else {
                    faults.append(BilingualText(zh: "没有 \(name)", en: "it has no \(name)"))
                    continue
                }
                if status.kind == kind {
                    right.append(name)
                } else {
                    faults.append(
                        BilingualText(zh: "其 \(name) ", en: "its \(name) ") + status.kind.text(insteadOf: kind))
                }
            } catch {
                // What may not be looked at is neither there nor missing: a reading says why.
            }
        }
    }

    var areWhole: Bool { right.count == Self.parts.count }
    var haveAllButTheIndex: Bool { right == [ArchiveLayout.manifestName, ArchiveLayout.databaseFolder] }
    var fault: BilingualText? {
        guard let first = faults.first else { return nil }
        return faults.dropFirst().reduce(first) { $0 + BilingualText(zh: "；", en: "; ") + $1 }
    }
}
