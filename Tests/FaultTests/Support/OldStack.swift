// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Postgres
import SystemIO
import TestSupport

/// A stack of version 0.1.0, as a kill left it. `Fixtures/make` says how each was made.
struct OldStack {
    /// The database's name is in the backups' manifests, which is how 0.1.0 backups are known to be ours.
    static let database = "oldstack"

    let ground: Ground
    private let root: TemporaryFolder

    /// Lays the stack down. One at a time on one server, since its database has one name.
    init(_ stage: String) throws {
        let server = try TemporaryPostgres.shared
        root = try Ground.folder("old")
        ground = Ground(server, server.settings.naming(database: Self.database), in: root.path)
        let archive = FilePath(String(#filePath)).parent.parent.appending("Fixtures/stack-0.1.0.tar.xz")
        let source = root.path.appending("stack-0.1.0/\(stage)")
        try Shell.sh(
            "tar -C '\(root.path)' -xJf '\(archive)' && mv '\(source)/backups' '\(source)/artifacts' '\(root.path)/'")
        try makeDatabases(source.appending("databases"))
        try adaptJournal(source)
    }

    private func makeDatabases(_ folder: FilePath) throws {
        let settings = ground.database
        try ground.session { session in
            for name in try ground.databases() {
                try session.execute("drop database \(identifier: name) with (force)")
            }
            for file in try Directory.names(in: folder) {
                let name = String(decoding: file.dropLast(4), as: UTF8.self)
                try session.execute(
                    "create database \(identifier: name) template template0 owner \(identifier: settings.user)")
                try Shell.run(
                    ground.server.binDirectory.appending("psql"),
                    [
                        "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", settings.host, "-p", "\(settings.port)", "-U",
                        settings.user, "-d", name, "-f", folder.appending(file).string,
                    ], environment: ["PGPASSWORD": settings.password.revealed])
            }
        }
    }

    /// A journal names the artifacts folder by its path and what arrives by inode: both are others here.
    private func adaptJournal(_ source: FilePath) throws {
        let path = ground.backups.appending(".mlflow-backup/restore-journal.json")
        guard try FileStatus.ifPresent(path) != nil else { return }
        var places: [UInt64: String] = [:]
        let lines = String(decoding: try OpenFile(source.appending("inodes"), .read).readAll(), as: UTF8.self)
        for line in lines.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1)
            if parts.count == 2, let inode = UInt64(parts[0]) { places[inode] = String(parts[1]) }
        }
        let bytes = Data(try OpenFile(path, .read).readAll())
        guard var journal = try JSONSerialization.jsonObject(with: bytes) as? [String: Any] else {
            throw CaseFailed("the fixture's journal is no object")
        }
        journal["artifacts"] = ground.artifacts.bytes.map { Int($0) }
        if var plan = journal["plan"] as? [String: Any], let arrivals = plan["arrivals"] as? [[String: Any]] {
            plan["arrivals"] = try arrivals.map { arrival in
                guard let inode = (arrival["inode"] as? NSNumber)?.uint64Value, let place = places[inode] else {
                    throw CaseFailed("the fixture does not know the inode of \(arrival)")
                }
                var changed = arrival
                changed["inode"] = try FileStatus.of(ground.artifacts.appending(place)).inode
                return changed
            }
            journal["plan"] = plan
        }
        try DurableFile.replace(path, with: Array(try JSONSerialization.data(withJSONObject: journal)), mode: 0o600)
    }
}
