// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// The artifacts folders: what is below any of them is in a backup.
struct ArtifactRoots {
    private var roots: [ArtifactRoot]

    init(_ folders: [FilePath]) { roots = folders.map { ArtifactRoot($0) } }

    /// Below one of the folders; `nil` for what is in none as far as anybody knows.
    mutating func below(_ parts: PathParts) -> PathParts? {
        for index in roots.indices { if let rest = roots[index].below(parts) { return rest } }
        return nil
    }

    /// Learns another name of a folder from the location of one run or one model.
    mutating func learn(from parts: PathParts) {
        guard below(parts) == nil else { return }
        for index in roots.indices {
            roots[index].learn(from: parts)
            if roots[index].below(parts) != nil { return }
        }
    }

    /// Whether it is on this machine; `nil` where nobody may look.
    func isOnThisMachine(_ parts: PathParts) -> Bool? { roots.first?.isOnThisMachine(parts) ?? nil }

    /// Of names directly below what the server serves those that none of the folders has.
    /// - Returns: their places in the list.
    func lacking(_ names: [PathParts]) -> [Int] {
        var least = Array(names.indices)
        for root in roots {
            let found = root.lacking(names)
            if found.isEmpty { return [] }
            if found.count < least.count { least = found }
        }
        return least
    }

    /// Whether a path below one of them leads out of it by a link, which no backup follows.
    mutating func leadsOut(_ parts: PathParts) -> Bool {
        for index in roots.indices where roots[index].below(parts) != nil { return roots[index].leadsOut(parts) }
        return false
    }

    /// Whether the folder of a run or a model is below one of them.
    /// - Returns: `nil` where that cannot be told, or it is none that should be there.
    mutating func holds(_ location: ArtifactLocation) -> Bool? {
        var isUnknown = false
        for index in roots.indices {
            switch roots[index].holds(location) {
            case true?: return true
            case nil: isUnknown = true
            case false?: continue
            }
        }
        return isUnknown ? nil : false
    }
}

/// By which names one artifacts folder goes. MLflow's container may see it elsewhere than we do, and the database has the
/// names of whoever wrote the rows: a folder of one run below ours tells which part of its path is the same folder.
struct ArtifactRoot {
    private let folder: FilePath
    private var names: [PathParts]
    /// Where below our folder `mlflow-artifacts:` is: at the top, or lower where we were given a folder above MLflow's.
    private var served = [PathParts([])]
    private var trials = 0
    private var lessons = 0
    private var real = RealPaths()

    init(_ folder: FilePath) {
        self.folder = folder
        let parts = PathParts(path: folder.bytes)
        names = [parts, real.of(parts)]
    }

    /// Below the artifacts folder; `nil` for what is not in it as far as anybody knows.
    mutating func below(_ parts: PathParts) -> PathParts? {
        if let rest = names.lazy.compactMap({ parts.below($0) }).first { return rest }
        let resolved = real.of(parts)
        return names.lazy.compactMap { resolved.below($0) }.first
    }

    /// As `ArtifactRoots.lacking`. A folder that we were given may be one above the server's: then all of them are in one child of it.
    func lacking(_ names: [PathParts]) -> [Int] {
        let own = names.indices.filter { isHeld(names[$0], in: folder) == false }
        guard own.count == names.count, let children = try? Directory.names(in: folder) else { return own }
        for child in children.prefix(64)
        where names.allSatisfy({ isHeld($0, in: folder.appending(child)) == true }) { return [] }
        return own
    }

    /// - Returns: `nil` where we may not look; false, too, for a link that leads out of our folder.
    private func isHeld(_ name: PathParts, in place: FilePath) -> Bool? {
        let path = name.appended(to: place)
        do {
            guard let status = try FileStatus.ifPresent(path) else { return false }
            guard status.kind == .symbolicLink else { return true }
            guard let target = try? path.resolved() else { return false }
            return PathParts(path: target.bytes).below(names[1]) != nil
        } catch { return nil }
    }

    mutating func leadsOut(_ parts: PathParts) -> Bool {
        guard let rest = below(parts) else { return false }
        let here = PathParts(PathParts(path: folder.bytes).names + rest.names)
        return real.of(here).below(names[1]) == nil
    }

    /// Learns another name of the folder from the location of one run or one model.
    mutating func learn(from parts: PathParts) {
        // One that is there is enough; a few hundred that are not say that none is.
        guard lessons < 300, parts.names.count < 64, parts.namesOneThing, below(parts) == nil else { return }
        lessons += 1
        // The shortest end of the path that is ours; what is before it is another name of our folder, and `/` is not.
        for cut in stride(from: parts.names.count - 1, to: 0, by: -1) {
            let end = PathParts(parts.names[cut...])
            guard end.namesOneThing, isThere(end) == true else { continue }
            names.append(PathParts(parts.names[..<cut]))
            return
        }
    }

    /// Whether it is on this machine; `nil` where nobody may look.
    func isOnThisMachine(_ parts: PathParts) -> Bool? { real.isThere(parts) }

    /// Whether the folder of a run or a model is below the artifacts folder.
    /// - Returns: `nil` where that cannot be told, or it is none that should be there.
    mutating func holds(_ location: ArtifactLocation) -> Bool? {
        switch location {
        case .served(let parts): holds(served: parts)
        case .local(let parts): below(parts).map { isThere($0) } ?? false
        case .remote, .relative, .reference: nil
        }
    }

    private mutating func holds(served parts: PathParts) -> Bool? {
        for above in served {
            let found = isThere(PathParts(above.names + parts.names))
            if found != false { return found }
        }
        // A few tries are enough: it is lower for all or for none.
        guard trials < 3, served.count == 1, parts.namesOneThing, let children = try? Directory.names(in: folder) else {
            return false
        }
        trials += 1
        guard let child = children.prefix(64).first(where: { isThere(PathParts([$0] + parts.names)) == true }) else {
            return false
        }
        served.append(PathParts([child]))
        return true
    }

    /// - Returns: `nil` where we may not look, or the disk fails.
    private func isThere(_ below: PathParts) -> Bool? {
        do { return try FileStatus.ifPresent(below.appended(to: folder)) != nil } catch { return nil }
    }
}
