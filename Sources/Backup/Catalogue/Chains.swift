// SPDX-License-Identifier: Apache-2.0

/// Which backups share bytes with which: a chain is an independent backup and all that share its blocks, by hard links or
/// cloned ranges. Damage in one may be damage in each of them, and together they are one copy.
struct Chains {
    private var names: [String: String] = [:]

    /// - Parameter items: the whole catalogue of a folder.
    init(_ items: [CatalogueItem]) {
        var older: [CatalogueItem] = []
        for item in items.sorted(by: { ($0.created, $0.name.string) < ($1.created, $1.name.string) }) {
            names[item.name.string] = chain(of: item, after: older)
            older.append(item)
        }
    }

    func chain(of item: CatalogueItem) -> String { names[item.name.string] ?? item.name.string }

    /// Of a backup whose sidecar was lost to damage: it may share bytes with any other.
    static let unknown = "?"

    func areIndependent(_ one: CatalogueItem, _ other: CatalogueItem) -> Bool {
        let (one, other) = (chain(of: one), chain(of: other))
        return one != other && one != Self.unknown && other != Self.unknown
    }

    private func chain(of item: CatalogueItem, after older: [CatalogueItem]) -> String {
        // What the file system says of a file goes before what a sidecar says of it.
        let sameFile = older.first { $0.isSameFile(as: item) }
        if let known = sameFile.map({ chain(of: $0) }) ?? item.sidecar?.chain { return known }
        // 0.1.0 wrote no chain. It took bytes over from the newest good one of the kind, whose generation was one less.
        guard let sidecar = item.sidecar, let generation = sidecar.generation, generation > 0,
            let cloned = sidecar.clonedBytes, cloned > 0,
            let before = older.last(where: {
                $0.kind == item.kind && $0.sidecar?.adopted == false && ($0.sidecar?.generation ?? 0) < generation
            })
        else { return item.name.string }
        return chain(of: before)
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
