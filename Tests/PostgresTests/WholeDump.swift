// SPDX-License-Identifier: Apache-2.0

import SystemIO

@testable import Postgres

extension PostgresTools {
    /// A dump of what a database is now, of which nothing else is asked.
    func dump(_ source: ConnectionSettings, into folder: FilePath, jobs: Int = 1) throws {
        let snapshot = try ExportedSnapshot(of: source)
        defer { snapshot.release() }
        try dump(source, snapshot: snapshot.identifier, into: folder, jobs: jobs)
    }
}
