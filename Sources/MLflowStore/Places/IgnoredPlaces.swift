// SPDX-License-Identifier: Apache-2.0

/// Places of which a person said that he keeps them himself (`ARTIFACT_ROOTS_IGNORED`): a backup without them is whole.
package struct IgnoredPlaces: Sendable, Equatable {
    /// Scheme, host and names: `s3://b/ml` has `s3://b/ml/1` below it, and not `s3://b/ml-prod`.
    private struct Place: Equatable {
        let scheme: String
        let authority: String
        let parts: PathParts

        /// - Returns: `nil` for what names another row, and for nothing.
        init?(_ text: String) {
            let (scheme, authority, path) = ArtifactLocation.split(text)
            switch ArtifactLocation(text) {
            case .reference: return nil
            case .served(let parts): (self.scheme, self.authority, self.parts) = ("mlflow-artifacts", "", parts)
            case .local(let parts): (self.scheme, self.authority, self.parts) = ("file", "", parts)
            case .relative: (self.scheme, self.authority, parts) = (".", "", PathParts(path: Array(text.utf8)))
            case .remote:
                self.scheme = scheme ?? ""
                self.authority = ArtifactLocation.withoutCredentials(self.scheme, authority)
                parts = PathParts(encoded: path)
            }
        }

        func holds(_ other: Place) -> Bool {
            scheme == other.scheme && authority == other.authority && other.parts.below(parts) != nil
        }
    }

    private let places: [Place]

    package static let none = IgnoredPlaces(places: [])

    private init(places: [Place]) { self.places = places }

    /// - Parameter lines: absolute paths and URIs.
    /// - Returns: the first line that names no place.
    package static func reading(_ lines: [String]) -> (places: IgnoredPlaces, fault: String?) {
        let found = lines.map { ($0, Self.isAddress($0) ? Place($0) : nil) }
        return (IgnoredPlaces(places: found.compactMap(\.1)), found.first { $0.1 == nil }?.0)
    }

    /// A bare word is no place: it would be one below whatever folder some program was started in.
    private static func isAddress(_ line: String) -> Bool {
        line.hasPrefix("/") || line.hasPrefix("./") || ArtifactLocation.split(line).scheme != nil
    }

    func hold(_ location: String) -> Bool {
        guard !places.isEmpty, let place = Place(location) else { return false }
        return places.contains { $0.holds(place) }
    }

    /// What `--artifacts-destination` serves.
    var holdServed: Bool { hold("mlflow-artifacts:/") }
}
