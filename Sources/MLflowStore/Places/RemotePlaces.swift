// SPDX-License-Identifier: Apache-2.0

/// What remote roots hold of the places that a database names, asked of whoever can reach them.
package struct RemotePlaces {
    package static var none: RemotePlaces {
        RemotePlaces(covers: { _ in false }, lacks: { _ in nil }, holds: { _ in false })
    }

    /// Whether a location is below one of them.
    let covers: (String) -> Bool
    /// Of names directly below what the server serves those that a root lacks: of the root that lacks fewest; `nil` where none can tell.
    let lacks: ([String]) -> [String]?
    /// Whether anything is below a path of what is served; `nil` where that cannot be told.
    let holds: ([UInt8]) -> Bool?

    package init(
        covers: @escaping (String) -> Bool, lacks: @escaping ([String]) -> [String]?,
        holds: @escaping ([UInt8]) -> Bool?
    ) {
        (self.covers, self.lacks, self.holds) = (covers, lacks, holds)
    }
}

/// Folders and remote roots together.
struct PlacesAtHand {
    var folders: ArtifactRoots
    let remote: RemotePlaces

    /// As `ArtifactRoots.lacking`. All of them must be in one root.
    func lacking(_ names: [String]) -> [String] {
        let own = folders.lacking(names.map { PathParts(path: Array($0.utf8)) }).map { names[$0] }
        guard !own.isEmpty, let others = remote.lacks(names) else { return own }
        return others.count < own.count ? others : own
    }

    /// As `ArtifactRoots.holds`.
    mutating func holds(_ location: ArtifactLocation) -> Bool? {
        let found = folders.holds(location)
        guard found == false, case .served(let parts) = location else { return found }
        return remote.holds(Array(parts.names.joined(separator: [UInt8(ascii: "/")])))
    }
}
