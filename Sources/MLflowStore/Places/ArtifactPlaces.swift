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
    /// Whether these are what the server lists directly below its `--artifacts-destination`, and not rows; `nil` for no.
    package var isListed: Bool?

    enum CodingKeys: String, CodingKey {
        case looked, experiments
        case isListed = "listed"
    }
}

/// Which artifacts of a database are not in an artifacts folder.
package struct ArtifactPlaces: Sendable, Equatable {
    /// That with most first.
    package private(set) var places: [ArtifactPlace] = []
    /// `nil` where all is well.
    package private(set) var unseen: UnseenArtifacts?
    /// How many places there are that a person keeps himself.
    package private(set) var ignored = 0
    /// Whether the database names more than anybody looked at.
    package private(set) var isCut = false

    /// What one or two without files may come to by themselves says nothing of an experiment.
    private static let several = 3

    /// - Parameters:
    ///   - listed: what the server has directly below its `--artifacts-destination`; `nil` where it does not say.
    package init(
        _ reading: PlaceReading, in folder: FilePath, ignoring kept: IgnoredPlaces = .none, listed: [String]? = nil
    ) {
        var roots = ArtifactRoots(folder)
        let expected = reading.expected.map { ($0.experiment, ArtifactLocation($0.location)) }
        for location in expected.map(\.1) + reading.groups.map({ ArtifactLocation($0.example) }) {
            if case .local(let parts) = location { roots.learn(from: parts) }
        }
        let unknown = Self.unknownRoot(reading, &roots)
        if !kept.holdServed {
            unseen = Self.unseen(listed: listed ?? [], &roots) ?? Self.unseen(expected, &roots, unknown)
        }
        let all = Self.places(reading, &roots, unknown, ignoring: kept)
        (places, ignored) = (all.places, all.ignored)
        isCut = reading.isCut
    }

    /// Where nothing that the server lists is below our folder, it serves another one. What was there and is deleted by now
    /// makes no difference, nor does what was made since.
    private static func unseen(listed: [String], _ roots: inout ArtifactRoots) -> UnseenArtifacts? {
        let looked = listed.prefix(1000).compactMap { name in
            roots.holds(.served(PathParts(path: Array(name.utf8))))
        }
        guard !looked.isEmpty, !looked.contains(true) else { return nil }
        return UnseenArtifacts(looked: looked.count, experiments: Array(listed.prefix(10)), isListed: true)
    }

    /// The folder of all that says nothing else, where neither is it ours by any name nor is it on this machine: MLflow's
    /// container may call ours so, and as long as nothing in it is known to be there or missing, nobody can tell.
    private static func unknownRoot(_ reading: PlaceReading, _ roots: inout ArtifactRoots) -> PathParts? {
        guard let text = reading.defaultRoot, case .local(let parts) = ArtifactLocation(text), roots.below(parts) == nil
        else { return nil }
        // Where we may not look, as little is known.
        return roots.isOnThisMachine(parts) == true ? nil : parts
    }

    private static func places(
        _ reading: PlaceReading, _ roots: inout ArtifactRoots, _ unknown: PathParts?, ignoring kept: IgnoredPlaces
    ) -> (places: [ArtifactPlace], ignored: Int) {
        var places: [String: ArtifactPlace] = [:]
        var ignored: Set<String> = []
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
            if kept.hold(group.location) {
                ignored.insert(name)
                continue
            }
            places[name, default: ArtifactPlace(place: name)].add(group)
        }
        return (places.values.sorted { ($1.total, $0.place) < ($0.total, $1.place) }, ignored.count)
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
