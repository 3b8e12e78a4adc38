// SPDX-License-Identifier: Apache-2.0

import Archive
import MLflowStore
import ObjectStore
import SystemIO
import Wording

extension BackupJob {
    /// A remote root, as a section of its own; objects whose keys are no paths as another.
    func walk(
        _ root: RemoteRoot, _ writer: any ArchiveWriter, _ onBytes: @escaping (UInt64) -> Void
    ) throws -> (root: Manifest.Root, report: TreeArchiver.Report) {
        let started = FileTime.now().seconds
        let store = try root.open(in: folder.staging, cancellation: cancellation)
        let archiver = ObjectArchiver(into: writer, cancellation: cancellation, onBytes: onBytes)
        let report = try archiver.add(root, store, in: folder.staging)
        log.info(
            "a remote root is archived",
            [
                "root": root.name, "place": root.location.description, "objects": report.walk.files,
                "reused": report.walk.reusedFiles, "bytes": report.walk.bytes, "reused_bytes": report.walk.reusedBytes,
            ])
        let counted = Manifest.Artifacts(
            files: report.walk.files, folders: report.walk.folders, bytes: report.walk.bytes, walkStarted: started)
        return (
            .init(
                name: root.name, artifacts: counted,
                store: .init(
                    kind: root.kind, location: root.location.description, strangeKeys: report.strangeKeys,
                    mayLackKeys: report.mayLackKeys ? true : nil)), report.walk
        )
    }
}

extension LiveStack {
    /// Names for what remote roots may have and rclone does not list.
    func mayLack(_ roots: [Manifest.Root]) -> [String] {
        roots.compactMap(\.store).filter { $0.mayLackKeys == true && !ignored.hold($0.location) }
            .map { $0.location + " (?)" }
    }
}

extension Manifest {
    /// Roots that are no folders.
    var remoteRoots: [Root] { (roots ?? []).filter { $0.store != nil } }
}
