// SPDX-License-Identifier: Apache-2.0

import Crypto
import Archive
import SystemIO

/// Which MLflow stack something belongs to. It is written into each manifest, sidecar, journal and kept record.
package struct StackIdentity: Sendable, Hashable, Codable, CustomStringConvertible {
    /// PostgreSQL's system identifier; `HOST:PORT` where the role may not ask for it.
    package var system: String
    /// The live database's name. Its oid changes with each restore.
    package var database: String
    /// What lies in the artifacts folder (`ArtifactsMark`); `nil` where it could not be read or made.
    package var artifacts: String?

    package init(system: String, database: String, artifacts: String?) {
        self.system = system
        self.database = database
        self.artifacts = artifacts
    }

    /// The identity of the live stack.
    /// - Parameter databases: of the session that holds the stack's lock, or any other.
    /// - Throws: `PostgresError` where the server does not answer.
    package init(of stack: LiveStack, on databases: any DatabaseSet) throws {
        self.init(
            system: try databases.systemIdentifier() ?? stack.database.address,
            database: stack.database.name, artifacts: try ArtifactsMark.read(in: stack.artifacts)?.id)
    }

    /// For a person.
    package var description: String { "\(database)@\(system)" }

    /// Whether both are one stack. A folder that has no mark yet, or whose mark cannot be read, contradicts nothing.
    package func isSameStack(as other: StackIdentity) -> Bool {
        guard system == other.system, database == other.database else { return false }
        guard let artifacts, let others = other.artifacts else { return true }
        return artifacts == others
    }

    /// Part of the names of files that belong to one stack in a folder that several may share: the database cluster
    /// and database alone, because those are known before the artifacts folder is looked at.
    var fileKey: String {
        String(SHA256.digest(of: Array("\(system)\u{0}\(database)".utf8)).hex.prefix(16))
    }
}
