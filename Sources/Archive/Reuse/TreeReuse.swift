// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO

/// The comparison of one tree with the backup before, made by the writer that can take something over from it.
///
/// Every entry is offered in the order of the walk. How much can be taken over at once is the writer's affair: a folder
/// takes single files, a tar.gz whole members, whose entries wait until it is certain that all of them are unchanged.
package protocol TreeReuse: AnyObject {
    func offer(_ candidate: ReuseCandidate) throws -> ReuseVerdict

    /// Call at the end of the tree.
    /// - Returns: what still waits, and must be read.
    func finish() throws -> [ReuseCandidate]

    /// Whether a file that waits is the one that another name links to.
    func waitingPath(of origin: ArchiveEntry.Origin) -> EntryPath?
}

/// A live entry as the walk lists it.
package struct ReuseCandidate {
    package var entry: ArchiveEntry
    package let linkCount: UInt64
    /// For content that has no stamps to trust: compares the live bytes with a digest.
    package var matches: ((Digest) throws -> Bool)?
    /// Asked where the backup before does not say who else may do what with a thing: whether nobody else is named.
    package var isPlain: (() throws -> Bool)?
    /// Of an object: whether what was stored is what the store lists, by its stamps; with the time at which the earlier walk began.
    /// It is asked in the place of everything else.
    package var agrees: ((ArchiveEntry, FileTime) -> Bool)?
    /// Its content where the backup before has it and it cannot be taken over as it lies there: nothing of it has to be fetched.
    package var stored: [UInt8]?

    init(entry: ArchiveEntry, linkCount: UInt64, matches: ((Digest) throws -> Bool)? = nil) {
        (self.entry, self.linkCount, self.matches) = (entry, linkCount, matches)
    }

    /// An object as its store lists it.
    package init(object entry: ArchiveEntry, agrees: @escaping (ArchiveEntry, FileTime) -> Bool) {
        self.init(entry: entry, linkCount: 1)
        self.agrees = agrees
    }
}

package enum ReuseVerdict {
    /// Wait: the member it is in is not complete yet.
    case undecided
    /// These, the last of them the one just offered, were taken over.
    case reused([ReuseCandidate])
    /// These came before and must be read now; then the entry is to be offered again.
    case readThenRetry([ReuseCandidate])
    /// These must be read now, the last of them the one just offered.
    case readAll([ReuseCandidate])
    /// The entry must be read and added, before anything else is.
    case read
}

/// There is no backup before, or none whose content this kind can take over.
final class NothingReusable: TreeReuse {
    func offer(_ candidate: ReuseCandidate) -> ReuseVerdict { .read }

    func finish() -> [ReuseCandidate] { [] }

    func waitingPath(of origin: ArchiveEntry.Origin) -> EntryPath? { nil }
}
