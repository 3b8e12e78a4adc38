// SPDX-License-Identifier: Apache-2.0

/// Places of which a person said that he keeps them himself (`ARTIFACT_ROOTS_IGNORED`): a backup without them is whole.
package struct IgnoredPlaces: Sendable, Equatable {
    private let places: [PlaceName]

    package static let none = IgnoredPlaces(places: [])

    private init(places: [PlaceName]) { self.places = places }

    /// - Parameter lines: absolute paths and URIs.
    /// - Returns: the number of the first line that names no place, from one.
    package static func reading(_ lines: [String]) -> (places: IgnoredPlaces, fault: Int?) {
        let found = lines.map { isAddress($0) ? PlaceName($0) : nil }
        return (IgnoredPlaces(places: found.compactMap(\.self)), found.firstIndex { $0 == nil }.map { $0 + 1 })
    }

    /// A bare word is no place: it would be one below whatever folder some program was started in.
    private static func isAddress(_ line: String) -> Bool {
        line.hasPrefix("/") || line.hasPrefix("./") || ArtifactLocation.split(line).scheme != nil
    }

    /// A location as it is shown.
    package func hold(_ location: String) -> Bool { PlaceName(location).map(hold) ?? false }

    func hold(_ place: PlaceName) -> Bool { places.contains { $0.holds(place) } }

    /// One name directly below what `--artifacts-destination` serves.
    func hold(served name: String) -> Bool {
        PlaceName("mlflow-artifacts:/" + name).map(hold) ?? false
    }
}
