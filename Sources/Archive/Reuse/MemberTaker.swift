// SPDX-License-Identifier: Apache-2.0

/// What becomes of what a comparison with the archive before finds: a writer writes it, an estimate counts it.
protocol MemberTaker: AnyObject {
    /// A small pack beside new entries is written again together with them, or packs would crumble day by day.
    func wantsToMerge(_ member: ArchiveIndex.Member) -> Bool

    /// Takes a member over as it is.
    func splice(_ member: ArchiveIndex.Member) throws

    /// Which chunks the archive before has of the file that is added next: they may still be the same.
    func remember(_ chunks: [ArchiveIndex.Member], of path: EntryPath)
}
