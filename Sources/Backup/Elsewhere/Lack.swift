// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO

/// Which places with artifacts that its database names a backup does not hold, as names to be compared: a backup can stand in
/// for another one only where it lacks nothing that the other one holds. See docs/stores.md, "What is covered".
package struct Lack: Sendable, Hashable, Codable {
    /// Sorted. In the manifest it is this list.
    package let names: [String]

    package static let nothing = Lack([])
    /// Nobody could tell. It may be anything, and is a lack of its own.
    static let unknown = Lack(["?"])
    /// What the server's `--artifacts-destination` has, which is not the artifacts folder.
    private static let served = "mlflow-artifacts:/"
    /// A list without bound would make a sidecar that no reader takes for one.
    private static let mostNames = 1000

    package var isNothing: Bool { names.isEmpty }

    private init(_ names: [String]) { self.names = names }

    init(_ places: ArtifactPlaces) {
        var names = Set(places.places.map(\.place))
        if places.unseen != nil { names.insert(Self.served) }
        if places.isCut || names.count > Self.mostNames { names = ["?"] }
        self.init(names.sorted())
    }

    package init(from decoder: any Decoder) throws {
        names = Array(Set(try decoder.singleValueContainer().decode([String].self))).sorted()
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(names)
    }

    /// Whether what lacks this can stand in for what lacks `other`.
    func isWithin(_ other: Lack) -> Bool { Set(names).isSubset(of: other.names) }

    var isPlausible: Bool { names.count <= Self.mostNames && names.allSatisfy { $0.utf8.count <= 4096 } }
}

extension CatalogueItem {
    /// What it does not hold of what its database names. Backups of 0.1.0 do not say, and count as whole.
    package var lack: Lack { sidecar?.summary?.lack ?? .nothing }

    /// Whether it is good, and lacks something.
    package var isPartial: Bool { status == .completed && !lack.isNothing }

    /// What a person is told that it is.
    package var shownStatus: String { isPartial ? "partial" : status.rawValue }
}
