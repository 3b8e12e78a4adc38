// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO

/// Live files that a restore keeps because they are right already. Until the swap they have two names, a live one and
/// one among the restored files, so a program that writes into the live one writes into the restored one.
struct KeptFiles: Sendable {
    private(set) var count = 0
    /// No kept file was written to at or after this moment when it was kept.
    private let stillSince: FileTime

    /// Seconds: the coarsest stamps in use, as for `ArchiveIndex.Preamble`.
    private static let margin: Int64 = 2

    /// To be made before anything is unpacked.
    init() { stillSince = FileTime(seconds: FileTime.now().seconds - Self.margin) }

    func existing(_ artifacts: FilePath) -> Extractor.Route.Existing { .init(artifacts, stillSince: stillSince) }

    mutating func note(_ outcome: Extractor.Outcome) { count += outcome.kept }

    /// The last look before the swap.
    /// - Throws: `BackupError.changedMeanwhile` where one was written to since.
    func check(in staging: FilePath, cancellation: Cancellation) throws {
        guard count > 0 else { return }
        let now = FileTime.now()
        var walk = try TreeWalk(root: OpenFile(staging, .directory), prefix: nil)
        while let step = try walk.next() {
            try cancellation.check()
            guard case .entry(let entry, _, _) = step, entry.kind == .file, walk.linkCount > 1 else { continue }
            guard entry.modified < stillSince || entry.modified > now else {
                throw BackupError.changedMeanwhile(path: entry.path.description)
            }
        }
    }
}
