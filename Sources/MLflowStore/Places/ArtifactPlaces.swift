// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A place with artifacts that are not below the artifacts folder, and what is there by the database.
package struct ArtifactPlace: Sendable, Equatable, Codable {
    /// `s3://bucket/first`, `/mnt/nas`: scheme, host and the beginning of the path, without credentials.
    package var place: String
    package var experiments: Int64 = 0
    package var runs: Int64 = 0
    package var loggedModels: Int64 = 0
    package var modelVersions: Int64 = 0
    package var traces: Int64 = 0
    /// Of all these, deleted as MLflow does it.
    package var deleted: Int64 = 0

    /// The place on one line, with nothing that moves a cursor: a record of it may be anybody's.
    package var shown: String { FindingText.clean(place) }

    enum CodingKeys: String, CodingKey {
        case place, experiments, runs, traces, deleted
        case loggedModels = "logged_models"
        case modelVersions = "model_versions"
    }
}

/// Runs and models whose files should be below the artifacts folder, and are not.
package struct UnseenArtifacts: Sendable, Equatable, Codable {
    /// How many of the newest were looked for; none was there.
    package var looked: Int
    /// The experiments that they are of, by number, sorted; a few.
    package var experiments: [String]
}

/// Which artifacts of a database are not in an artifacts folder.
package struct ArtifactPlaces: Sendable, Equatable {
    /// That with most first.
    package private(set) var places: [ArtifactPlace] = []
    /// `nil` where all is well.
    package private(set) var unseen: UnseenArtifacts?

    /// What one or two without files may come to by themselves says nothing of an experiment.
    private static let several = 3

    package init(_ reading: PlaceReading, in folder: FilePath) {
        var roots = ArtifactRoots(folder)
        let expected = reading.expected.map { ($0.experiment, ArtifactLocation($0.location)) }
        for location in expected.map(\.1) + reading.groups.map({ ArtifactLocation($0.example) }) {
            if case .local(let parts) = location { roots.learn(from: parts) }
        }
        let unknown = Self.unknownRoot(reading, &roots)
        unseen = Self.unseen(expected, &roots, unknown)
        places = Self.places(reading, &roots, unknown)
    }

    /// The folder of all that says nothing else, where neither is it ours by any name nor is it on this machine: MLflow's
    /// container may call ours so, and as long as nothing in it is known to be there or missing, nobody can tell.
    private static func unknownRoot(_ reading: PlaceReading, _ roots: inout ArtifactRoots) -> PathParts? {
        guard let text = reading.defaultRoot, case .local(let parts) = ArtifactLocation(text), roots.below(parts) == nil
        else { return nil }
        // Where we may not look, as little is known.
        return roots.isOnThisMachine(parts) == true ? nil : parts
    }

    private static func places(_ reading: PlaceReading, _ roots: inout ArtifactRoots, _ unknown: PathParts?)
        -> [ArtifactPlace]
    {
        var places: [String: ArtifactPlace] = [:]
        for group in reading.groups {
            let location = ArtifactLocation(group.location)
            switch location {
            case .served, .reference: continue
            // A prompt is a version of a model, too, and has a word in the place of a location.
            case .relative where group.things == .modelVersions: continue
            case .local(let parts) where roots.below(parts) != nil: continue
            case .local(let parts): if let unknown, parts.below(unknown) != nil { continue }
            case .remote, .relative: break
            }
            guard let name = location.place else { continue }
            places[name, default: ArtifactPlace(place: name)].add(group)
        }
        return places.values.sorted { ($1.total, $0.place) < ($0.total, $1.place) }
    }

    private static func unseen(
        _ expected: [(experiment: String, location: ArtifactLocation)], _ roots: inout ArtifactRoots,
        _ unknown: PathParts?
    ) -> UnseenArtifacts? {
        var found: [String: (looked: Int, there: Int)] = [:]
        for (experiment, location) in expected {
            // Another place is told of as that.
            if case .local(let parts) = location, roots.below(parts) == nil,
                unknown.map({ parts.below($0) == nil }) ?? true
            {
                continue
            }
            guard let isThere = roots.holds(location) else { continue }
            found[experiment, default: (0, 0)].looked += 1
            if isThere { found[experiment, default: (0, 0)].there += 1 }
        }
        var missing = found.filter { $0.value.there == 0 && $0.value.looked >= several }
        let looked = found.values.reduce(0) { $0 + $1.looked }
        if looked >= several, found.values.allSatisfy({ $0.there == 0 }) { missing = found }
        guard !missing.isEmpty else { return nil }
        let numbers = missing.keys.sorted { (Int($0) ?? .max, $0) < (Int($1) ?? .max, $1) }
        return UnseenArtifacts(
            looked: missing.values.reduce(0) { $0 + $1.looked }, experiments: Array(numbers.prefix(10)))
    }
}

extension ArtifactPlace {
    fileprivate var total: Int64 { experiments + runs + loggedModels + modelVersions + traces }

    /// Counts of rows of one database: their sum is one, too.
    fileprivate mutating func add(_ group: PlaceReading.Group) {
        switch group.things {
        case .experiments: experiments += group.total
        case .runs: runs += group.total
        case .loggedModels: loggedModels += group.total
        case .modelVersions: modelVersions += group.total
        case .traces: traces += group.total
        }
        deleted += group.deleted
    }
}
