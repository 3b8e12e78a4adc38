// SPDX-License-Identifier: Apache-2.0

import Foundation
import MLflowStore
import SQLite
import SystemIO
import TestSupport

/// What `EditedStores` has, in databases of SQLite: a store that real MLflow filled, the copy that a backup makes of it, and a copy
/// for each edit that real MLflow then did.
struct EditedFiles: Sendable {
    let folder: TemporaryFolder
    let restored: FilePath
    /// The same rows under other numbers, as a dump and a reload give them.
    let reloaded: FilePath
    private let errors: [String: String]

    static let shared = Result { try EditedFiles() }

    private init() throws {
        folder = try TemporaryFolder("edited")
        let base = folder.path.appending("base")
        let python = try EditedStores.python()
        let script = EditedStores.script.string
        try Shell.run(python, [script, "base", "sqlite:///\(base)"])
        restored = folder.path.appending("restored")
        _ = try OnlineCopy(of: LiveDatabase(base)).write(to: restored)
        reloaded = folder.path.appending("reloaded")
        // In the order of a run's number, and not in that in which they were made.
        try Shell.run(
            python,
            [
                "-c",
                """
                import sqlite3, sys
                old, new = sqlite3.connect(sys.argv[1]), sqlite3.connect(sys.argv[2])
                lines = list(old.iterdump())
                rows = [line for line in lines if line.startswith("INSERT INTO")]
                new.executescript("\\n".join([x for x in lines if x not in rows and x != "COMMIT;"] + rows[::-1] + ["COMMIT;"]))
                """, restored.string, reloaded.string,
            ])
        for name in EditedStores.names {
            try Shell.run("/bin/cp", [base.string, folder.path.appending("live_\(name)").string])
        }
        errors = try EditedStores.outcomes(
            of: Shell.run(
                python, [script, "edits", "sqlite:///\(folder.path.appending("live_"))"] + EditedStores.names))
    }

    /// The copy in which an edit was done.
    func live(_ name: String) throws -> FilePath {
        guard let error = errors[name] else { throw EditedStores.EditFailed(description: "\(name) was not tried") }
        guard error.isEmpty else { throw EditedStores.EditFailed(description: error) }
        return folder.path.appending("live_\(name)")
    }
}
