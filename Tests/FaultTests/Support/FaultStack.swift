// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport

/// A small live stack that can be put back to its beginning in a moment: two good backups of one state ("new"), and a
/// live state that differs from it in rows and bytes ("old").
final class FaultStack: Sendable {
    let ground: Ground
    let root: TemporaryFolder
    /// Rows and bytes of the backups, and of the live stack at the beginning.
    let new: String
    let old: String
    /// The archive, and the folder.
    let archive: String
    let folder: String
    /// Name and content of each backup at the beginning.
    let contents: [String: String]

    var program: Program { ground.program }
    var artifacts: FilePath { ground.artifacts }
    var backups: FilePath { ground.backups }
    private var database: ConnectionSettings { ground.database }
    private var initial: FilePath { root.path.appending("initial") }
    private var template: String { "initial_\(database.database)" }

    init(_ name: String, on server: TemporaryPostgres? = nil) throws {
        let server = try server ?? .shared
        root = try Ground.folder(name)
        ground = Ground(server, try server.freshDatabase(name), in: root.path)
        let (program, backups, artifacts, database) = (
            ground.program, ground.backups, ground.artifacts, ground.database
        )
        let files = LiveFiles(database: database, artifacts: artifacts)
        try files.begin()
        new = try ground.fingerprint()
        for arguments in [["backup", "--quiet"], ["backup", "--quiet", "--no-compress"]] {
            let made = try program.run(arguments)
            guard made.succeeded else { throw CaseFailed("the first backups: \(made.saying)") }
        }
        try files.moveOn()
        old = try ground.fingerprint()
        let names = try Listing(program).names
        archive = names.first { $0.hasSuffix(".tar.gz") } ?? ""
        folder = names.first { !$0.hasSuffix(".tar.gz") } ?? ""
        contents = try Ground.contents(names, in: backups)
        let initial = root.path.appending("initial")
        try Directory.make(initial)
        try Shell.sh("cp -a '\(backups)' '\(artifacts)' '\(initial)/'")
        let template = "initial_\(database.database)"
        try ground.session {
            try $0.execute("create database \(identifier: template) template \(identifier: database.database)")
        }
    }

    /// A restore does not keep a live file that was written to in the last two seconds: what is traced on fresh files is not what
    /// most trials do.
    func waitUntilOld() throws {
        try Shell.sh("while find '\(artifacts)' -newerct '4 seconds ago' | grep -q .; do sleep 0.2; done")
    }

    /// Everything as it was at the beginning. What an operation cannot have changed is left, inodes and all.
    func reset(live isChanged: Bool) throws {
        try Shell.sh("rm -rf '\(backups)' && cp -a '\(initial)/backups' '\(backups)'")
        // Copies are files that nobody has read, which every operation would do first.
        let read = try program.run(["verify", "--all", "--quiet"])
        guard read.succeeded else { throw CaseFailed("the copies of the backups: \(read.saying)") }
        // Most faults end before anything live has changed.
        let isWhole =
            try live() == old && ground.databases() == [database.database]
            && !Directory.names(in: artifacts).contains { $0.starts(with: Array(".mlflow-backup".utf8)) }
        guard isChanged, !isWhole else { return }
        try Shell.sh("rm -rf '\(artifacts)' && cp -a '\(initial)/artifacts' '\(artifacts)'")
        try ground.session { session in
            for name in try ground.databases() {
                // A restore may have died with its database closed, or marked as one that stays.
                try session.execute("drop database if exists \(identifier: name) with (force)")
            }
            try session.execute(
                """
                create database \(identifier: database.database) template \(identifier: template)
                owner \(identifier: database.user)
                """)
        }
    }

    func live() -> String { ground.live() }
    func named(_ state: String) -> String { state == new ? "new" : state == old ? "old" : "a mixture" }
}

struct CaseFailed: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
