// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import Postgres

/// Before a restore: the live database beside the loaded one.
final class PostgresComparison: StoreLook {
    private let server: Databases
    private let names: DatabaseNames
    private let store: StoreComparison

    /// - Parameter server: on the session that holds the stack's lock.
    init(_ server: Databases, _ names: DatabaseNames, _ store: StoreComparison) {
        (self.server, self.names, self.store) = (server, names, store)
    }

    func first(_ progress: StoreComparison.ProgressSink) throws -> StoreFindings? {
        try store.first(progress: progress)
    }

    func last() throws -> (findings: StoreFindings?, moment: String?) {
        let rows = try store.lastLocking()
        return (rows.findings, rows.moment)
    }

    func swap() throws {
        let spared = try store.serverProcesses()
        try server.swap(names, sparing: spared) { () throws(PostgresError) in
            // Whoever ended it let writers in, whose rows it has not seen.
            try store.confirm()
            close()
        }
    }

    func close() { store.close() }
}

/// Before an undo: what was written to the live database since a restore brought it.
final class PostgresFreshLook: StoreLook {
    private let server: Databases
    private let names: DatabaseNames
    private let rows: FreshRows
    private let since: String?

    init(_ server: Databases, _ names: DatabaseNames, _ rows: FreshRows, since: String?) {
        (self.server, self.names, self.rows, self.since) = (server, names, rows, since)
    }

    func first(_ progress: StoreComparison.ProgressSink) throws -> StoreFindings? {
        try since.flatMap { try rows.written(since: $0) }
    }

    func last() throws -> (findings: StoreFindings?, moment: String?) {
        guard let since else { return (nil, nil) }
        let written = try rows.writtenLocking(since: since)
        return (written.findings, written.moment)
    }

    func swap() throws {
        let spared = [try rows.serverProcess()]
        try server.swap(names, sparing: spared) { () throws(PostgresError) in
            try rows.confirm()
            close()
        }
    }

    func close() { rows.close() }
}

extension Databases {
    fileprivate func swap(
        _ names: DatabaseNames, sparing spared: [Int], leave: () throws(PostgresError) -> Void
    ) throws(PostgresError) {
        try swap(
            live: names.live, replacement: names.replacement, keepingOldAs: names.old, sparing: spared, leave: leave)
    }
}
