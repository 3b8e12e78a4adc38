// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import ObjectStore
import SystemIO

/// What the remote roots hold of the places that the database names. Stores are asked as little as tells it: the topmost names once,
/// and of what the server serves whether there is anything below a path.
final class RemoteLook {
    private let roots: [RemoteRoot]
    private let cancellation: Cancellation
    private let asks: Bool
    private var stores: [(any RemoteStore)?]?
    /// Of what the server serves: the one that has all of its topmost names.
    private var served: (any RemoteStore)?
    private var probes = 0

    /// Paths that are looked for, each with a request: what is there is found by the first of them.
    private static let mostProbes = 300
    private static let mostNames = 20_000

    /// - Parameters:
    ///   - asks: whether stores are asked at all; where they are not, what only they know could not be told.
    ///   - seconds: for all of it.
    init(_ roots: [RemoteRoot], asks: Bool, atMost seconds: Double) {
        self.roots = roots
        self.asks = asks
        cancellation = Cancellation(within: Cancellation(), atMost: seconds)
    }

    var places: RemotePlaces {
        guard !roots.isEmpty else { return .none }
        return RemotePlaces(covers: covers, lacks: lacks, holds: holds)
    }

    private func covers(_ uri: String) -> Bool { roots.contains { $0.location.holds(uri: uri) } }

    /// A store that cannot be reached holds nothing that anybody knows of; the backup fails by it elsewhere.
    private func opened() -> [(any RemoteStore)?] {
        if let stores { return stores }
        let patience = RequestPatience(connecting: 5, stall: 5, retrying: 5, firstContact: 3)
        let found = roots.map { try? $0.open(cancellation: cancellation, patience: patience) }
        stores = found
        return found
    }

    private func lacks(_ names: [String]) -> [String]? {
        guard asks else { return nil }
        var least: [String]?
        for case let store? in opened() {
            guard let found = try? store.topNames(atMost: Self.mostNames) else { continue }
            let lacking = names.filter { !found.contains(Array($0.utf8)) }
            if !names.isEmpty, lacking.isEmpty { served = store }
            if lacking.count < least?.count ?? .max { least = lacking }
        }
        return least
    }

    private func holds(_ path: [UInt8]) -> Bool? {
        guard asks, probes < Self.mostProbes, !path.isEmpty else { return nil }
        let asked = served.map { [$0] } ?? opened().compactMap(\.self)
        // Of a store that does not answer nobody can tell.
        guard served != nil || asked.count == roots.count else { return nil }
        for store in asked {
            probes += 1
            guard let found = try? store.holdsAnything(below: ObjectKey(bytes: path)) else { return nil }
            if found { return true }
        }
        return false
    }
}
