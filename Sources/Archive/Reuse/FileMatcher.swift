// SPDX-License-Identifier: Apache-2.0

/// Compares the live tree with the uncompressed backup before, a file at a time.
final class FileMatcher: TreeReuse {
    private let writer: FolderWriter
    private let previous: PreviousFolder

    init(_ writer: FolderWriter, _ previous: PreviousFolder) {
        self.writer = writer
        self.previous = previous
    }

    /// Content without stamps to trust would have to be read to be compared: then it can as well be added.
    func offer(_ candidate: ReuseCandidate) throws -> ReuseVerdict {
        guard candidate.matches == nil, candidate.entry.kind == .file else { return .read }
        return try writer.link(candidate, to: previous) ? .reused([candidate]) : .read
    }

    func finish() -> [ReuseCandidate] { [] }

    func waitingPath(of origin: ArchiveEntry.Origin) -> EntryPath? { nil }
}
