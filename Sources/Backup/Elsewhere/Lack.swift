// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO

/// Which places with artifacts that its database names a backup does not hold: it can stand in for another one only where it
/// lacks nothing that the other one may hold. See docs/retention.md, "Partial".
package struct Lack: Sendable, Hashable, Codable {
    struct Place: Sendable, Hashable, Codable {
        /// A `PlaceName` as text, whole; of what the server serves `mlflow-artifacts:/` and the topmost name.
        let name: String
        /// The first experiment that names it; `nil` where it is not known to be one's.
        var experiment: Int64?
    }

    /// Sorted by name.
    let places: [Place]
    /// The newest experiment that there was: a place that only newer ones name is none that this backup could have held.
    let newestExperiment: Int64?

    enum CodingKeys: String, CodingKey {
        case places
        case newestExperiment = "newest_experiment"
    }

    package static let nothing = Lack([])
    /// Nobody could tell. It may be anything, and is a lack of its own.
    static let unknown = Lack([Place(name: "?")])
    /// A list without bound would make a sidecar that no reader takes for one.
    private static let mostPlaces = 1000

    /// What is written is read again: a name that no reader took would make the backup unreadable.
    private static let longestName = 1000
    /// Of all names together.
    private static let mostBytes = 256 << 10

    /// The same with places of which nobody knows whether all of it is there.
    func adding(_ names: [String]) -> Lack {
        guard !names.isEmpty, self != .unknown else { return self }
        let added = names.map { Place(name: Self.bounded($0)) }.filter { !places.contains($0) }
        return Lack((places + added).sorted { $0.name < $1.name }, newestExperiment: newestExperiment)
    }

    private static func bounded(_ name: String) -> String {
        name.utf8.count <= longestName ? name : "+" + PlaceText.digest(name)
    }

    package var isNothing: Bool { places.isEmpty }
    package var names: [String] { places.map(\.name) }

    init(_ places: [Place], newestExperiment: Int64? = nil) {
        self.places = places
        self.newestExperiment = newestExperiment
    }

    init(_ found: ArtifactPlaces) {
        let all = found.missing.map { Place(name: Self.bounded($0.key), experiment: $0.value) }
            .sorted { $0.name < $1.name }
        var bytes = 0
        var places = Array(
            all.prefix(Self.mostPlaces).prefix {
                bytes += $0.name.utf8.count
                return bytes <= Self.mostBytes
            })
        if all.count > places.count {
            // Where one more is missing this is another name.
            places.append(Place(name: "+" + PlaceText.digest(all.map(\.name).joined(separator: "\n"))))
        }
        if found.isCut { places.append(Place(name: "?")) }
        self.init(places, newestExperiment: found.newestExperiment)
    }

    /// Whether what lacks this can stand in for what lacks `other`.
    func isWithin(_ other: Lack) -> Bool {
        if isNothing || self == other { return true }
        let known = Set(other.names)
        return places.allSatisfy { place in
            if known.contains(place.name) { return true }
            guard let first = place.experiment, let newest = other.newestExperiment else { return false }
            return first > newest
        }
    }

    var isPlausible: Bool {
        places.count <= Self.mostPlaces + 2 && places.allSatisfy { $0.name.utf8.count <= 16_384 }
    }
}

extension CatalogueItem {
    /// What it does not hold of what its database names. Backups of 0.1.0 do not say, and count as whole.
    package var lack: Lack { sidecar?.summary?.lack ?? .nothing }

    /// Whether it is good, and lacks something.
    package var isPartial: Bool { status == .completed && !lack.isNothing }

    /// What a person is told that it is.
    package var shownStatus: String { isPartial ? "partial" : status.rawValue }
}
