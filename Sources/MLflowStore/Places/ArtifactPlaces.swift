// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A place with artifacts that are not below the artifacts folder, and what is there by the database.
package struct ArtifactPlace: Sendable, Equatable, Codable {
    /// `s3://bucket/first`, `/mnt/nas`: the beginning of a `PlaceName`.
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
    /// Everything that is missing, by its whole name (`PlaceName`), and the first experiment that names it, where one does. Of what
    /// the server serves each topmost name.
    package private(set) var missing: [String: Int64?] = [:]
    /// Whether the database names more than anybody looked at.
    package private(set) var isCut = false
    /// The experiment that was made last.
    package private(set) var newestExperiment: Int64?

    /// What one or two without files may come to by themselves says nothing of an experiment.
    private static let several = 3

    /// - Parameters:
    ///   - listed: what the server has directly below its `--artifacts-destination`; `nil` where it does not say.
    ///   - remote: what is covered beside the folders.
    package init(
        _ reading: PlaceReading, in folders: [FilePath], ignoring kept: IgnoredPlaces = .none, listed: [String]? = nil,
        remote: RemotePlaces = .none
    ) {
        var roots = ArtifactRoots(folders)
        let expected = reading.expected.map { ($0.experiment, ArtifactLocation($0.location)) }
        for location in expected.map(\.1) + reading.groups.flatMap({ $0.examples.map { ArtifactLocation($0) } }) {
            if case .local(let parts) = location { roots.learn(from: parts) }
        }
        let unknown = Self.unknownRoot(reading, &roots)
        places = findPlaces(reading, &roots, unknown, ignoring: kept, remote)
        var atHand = PlacesAtHand(folders: roots, remote: remote)
        let absent = Self.absent(among: (listed ?? []).filter { !kept.hold(served: $0) }, atHand)
        let empty = Self.withoutFiles(expected, &atHand, unknown).filter { !kept.hold(served: $0.experiment) }
        var unseen = absent ?? Self.unseen(empty)
        // The names of a listing first: what it has not may be an experiment whose files lie elsewhere below.
        for name in (absent?.experiments ?? []) + empty.map(\.experiment) {
            missing["mlflow-artifacts:/" + PlaceName.text(ofServed: name)] = .some(experiment(name, reading))
        }
        if let names = unseen?.experiments {
            unseen?.experiments = names.prefix(Self.mostShown).map { PlaceName.text(ofServed: $0) }
        }
        self.unseen = unseen
        isCut = reading.isCut
        newestExperiment = reading.newestExperiment
    }

    /// The experiment that a topmost name is of. A folder of many may have a number for a name, too, and is older than any of them.
    private func experiment(_ name: String, _ reading: PlaceReading) -> Int64? {
        guard ["mlflow-artifacts:", "mlflow-artifacts:/"].contains(reading.defaultRoot), let number = Int64(name),
            let newest = reading.newestExperiment, number <= newest
        else { return nil }
        return number
    }

    /// Names that are told of.
    private static let mostShown = 10
    private static let mostListed = 10_000

    /// What the server lists and is not here. What was there and is deleted by now makes no difference, nor does what was made since:
    /// it is looked for after the list.
    private static func absent(among listed: [String], _ atHand: PlacesAtHand) -> UnseenArtifacts? {
        let absent = atHand.lacking(listed.prefix(mostListed).filter { $0.utf8.count <= 255 })
        guard !absent.isEmpty else { return nil }
        return UnseenArtifacts(looked: absent.count, experiments: absent.sorted(by: Self.byNumber), isListed: true)
    }

    private static func byNumber(_ one: String, _ other: String) -> Bool {
        (Int(one) ?? .max, one) < (Int(other) ?? .max, other)
    }

    /// The folder of all that says nothing else, where neither is it ours by any name nor is it on this machine: MLflow's
    /// container may call ours so, and as long as nothing in it is known to be there or missing, nobody can tell.
    private static func unknownRoot(_ reading: PlaceReading, _ roots: inout ArtifactRoots) -> PathParts? {
        guard let text = reading.defaultRoot, case .local(let parts) = ArtifactLocation(text), roots.below(parts) == nil
        else { return nil }
        // Where we may not look, as little is known.
        return roots.isOnThisMachine(parts) == true ? nil : parts
    }

    private mutating func findPlaces(
        _ reading: PlaceReading, _ roots: inout ArtifactRoots, _ unknown: PathParts?, ignoring kept: IgnoredPlaces,
        _ remote: RemotePlaces
    ) -> [ArtifactPlace] {
        var places: [String: ArtifactPlace] = [:]
        for group in reading.groups {
            let location = ArtifactLocation(group.location)
            switch location {
            case .served, .reference: continue
            // A prompt is a version of a model, too, and has a word in the place of a location.
            case .relative where group.things == .modelVersions: continue
            case .local(let parts) where roots.below(parts) != nil: if !roots.leadsOut(parts) { continue }
            case .local(let parts): if let unknown, parts.below(unknown) != nil { continue }
            case .remote: if remote.covers(group.location) { continue }
            case .relative: break
            }
            guard let name = PlaceName(group.location), !kept.hold(name) else { continue }
            let shown = name.text(name.scheme == "file" ? 2 : 1)
            places[shown, default: ArtifactPlace(place: shown)].add(group)
            // Where one of them is of no experiment nobody knows when the place came to be.
            let known = missing[name.text()]
            let first: Int64? =
                if let known { group.experiment.flatMap { new in known.map { min($0, new) } } } else {
                    group.experiment
                }
            missing[name.text()] = .some(first)
        }
        return places.values.sorted { ($1.total, $0.place) < ($0.total, $1.place) }
    }

    /// Experiments of which nothing is here that must be, with how many were looked for.
    private static func withoutFiles(
        _ expected: [(experiment: String, location: ArtifactLocation)], _ atHand: inout PlacesAtHand,
        _ unknown: PathParts?
    ) -> [(experiment: String, looked: Int)] {
        var found: [String: (looked: Int, there: Int)] = [:]
        for (experiment, location) in expected {
            // Another place is told of as that.
            if case .local(let parts) = location, atHand.folders.below(parts) == nil,
                unknown.map({ parts.below($0) == nil }) ?? true
            {
                continue
            }
            guard let isThere = atHand.holds(location) else { continue }
            found[experiment, default: (0, 0)].looked += 1
            if isThere { found[experiment, default: (0, 0)].there += 1 }
        }
        var missing = found.filter { $0.value.there == 0 && $0.value.looked >= several }
        let looked = found.values.reduce(0) { $0 + $1.looked }
        if looked >= several, found.values.allSatisfy({ $0.there == 0 }) { missing = found }
        return missing.map { ($0.key, $0.value.looked) }.sorted { byNumber($0.experiment, $1.experiment) }
    }

    private static func unseen(_ empty: [(experiment: String, looked: Int)]) -> UnseenArtifacts? {
        guard !empty.isEmpty else { return nil }
        return UnseenArtifacts(looked: empty.reduce(0) { $0 + $1.looked }, experiments: empty.map(\.experiment))
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
