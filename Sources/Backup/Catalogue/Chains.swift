// SPDX-License-Identifier: Apache-2.0

/// Which backups share bytes with which: a chain is an independent backup and all that share its blocks, by hard links or
/// cloned ranges. Damage in one may be damage in each of them, and together they are one copy.
struct Chains {
    private var names: [String: String] = [:]

    /// - Parameter items: the whole catalogue of a folder.
    init(_ items: [CatalogueItem]) {
        let sorted = items.sorted { ($0.created, $0.name.string) < ($1.created, $1.name.string) }
        let files = Dictionary(grouping: sorted) { File(device: $0.device, inode: $0.inode) }
        var older: [CatalogueItem] = []
        for item in sorted {
            // What the file system says of a file goes before what a sidecar says of it: all its names have one chain.
            let same = files[File(device: item.device, inode: item.inode)] ?? [item]
            names[item.name.string] = names[same[0].name.string] ?? Self.noted(same) ?? derived(item, same, older)
            older.append(item)
        }
        names = names.mapValues { resolved($0) }
    }

    func chain(of item: CatalogueItem) -> String { names[item.name.string] ?? item.name.string }

    /// Of a backup whose sidecar was lost, or damaged: it may share bytes with any other.
    static let unknown = "?"

    /// The fewest that show two independent copies.
    /// - Parameter items: which ones there are, the one that is a copy in any case first.
    /// - Returns: the first, and what comes first of the others until two of all are known to be independent. Where no two
    ///   are, one that may be independent of it, if there is one.
    func copies(_ items: [CatalogueItem]) -> [CatalogueItem] {
        guard let first = items.first else { return [] }
        var copies = [first]
        for item in items where chain(of: item) != Self.unknown && !isTwo(copies) {
            if copies.allSatisfy({ chain(of: $0) != chain(of: item) }) { copies.append(item) }
        }
        if copies.count == 1, let other = items.first(where: { mayBeIndependent($0, first) }) { copies.append(other) }
        return copies
    }

    /// Whether two of them are known to be independent.
    func isTwo(_ items: [CatalogueItem]) -> Bool { known(items).count > 1 }

    /// How many copies they are at least. Those of unknown chains may all share one's bytes.
    func count(_ items: [CatalogueItem]) -> Int { max(known(items).count, items.isEmpty ? 0 : 1) }

    private func known(_ items: [CatalogueItem]) -> Set<String> {
        Set(items.map { chain(of: $0) }).subtracting([Self.unknown])
    }

    private func mayBeIndependent(_ one: CatalogueItem, _ other: CatalogueItem) -> Bool {
        chain(of: one) != chain(of: other) || chain(of: one) == Self.unknown && !one.isSameFile(as: other)
    }

    private struct File: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// What the sidecars of the names of one file say, of which some may be lost.
    /// - Returns: `nil` where none has a chain. Of names that were linked over each other they may contradict.
    private static func noted(_ names: [CatalogueItem]) -> String? {
        let noted = Set(names.compactMap { $0.sidecar?.chain })
        let known = noted.subtracting([unknown])
        return known.count == 1 ? known.first : noted.isEmpty ? nil : unknown
    }

    /// 0.1.0 wrote no chain. It took bytes over from the newest good one of the kind, whose generation was one less.
    /// - Parameter names: of the file, the oldest first.
    private func derived(_ item: CatalogueItem, _ names: [CatalogueItem], _ older: [CatalogueItem]) -> String {
        guard let first = names.first(where: { $0.sidecar != nil }), let sidecar = first.sidecar else {
            return Self.unknown
        }
        guard let generation = sidecar.generation, generation > 0, let cloned = sidecar.clonedBytes, cloned > 0,
            let before = older.last(where: {
                $0.kind == first.kind && $0.sidecar?.adopted == false && ($0.sidecar?.generation ?? 0) < generation
            })
        else { return item.name.string }
        return chain(of: before)
    }

    /// A chain that is named after a backup has that one's: a sidecar can name one whose own sidecar was lost before.
    private func resolved(_ chain: String) -> String {
        var (chain, seen) = (chain, Set([chain]))
        while let next = names[chain], next != Self.unknown, seen.insert(next).inserted { chain = next }
        return chain
    }
}

extension Chains {
    /// Writes the chain into the sidecars that have none, while those it is told from are still there.
    static func settle(in folder: BackupFolder) throws {
        let items = try Catalogue(folder).items()
        let chains = Chains(items)
        for item in items {
            guard var sidecar = item.sidecar, sidecar.chain == nil else { continue }
            sidecar.chain = chains.chain(of: item)
            try sidecar.write(in: folder)
        }
    }
}
