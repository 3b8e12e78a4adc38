// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport

/// What clients were told is stored, and where it is afterwards.
struct Acknowledgements {
    private struct Entry: Decodable {
        let key: String
        let kind: String
        var run: String?
        var value: String?
        var path: String?
        var sha256: String?
    }

    private let entries: [Entry]
    var count: Int { entries.count }

    init(_ journal: FilePath) throws {
        let text = String(decoding: try OpenFile(journal, .read).readAll(), as: UTF8.self)
        // A client that was stopped may have left half a line, which nobody was told.
        entries = text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Entry.self, from: Data($0.utf8)) }
    }

    /// - Parameters:
    ///   - answered: the keys that MLflow still answers for.
    ///   - told: what the program said, in which a thing may be named.
    /// - Returns: what is nowhere.
    func vanished(from ground: Ground, answered: Set<String>, told: String) throws -> [String] {
        let kept = try keptRows(ground)
        let files = try digests(ground)
        return entries.filter { entry in
            if answered.contains(entry.key) { return false }
            if let path = entry.path, let digest = entry.sha256 {
                return files[path]?.contains(digest) != true && !told.contains(path)
            }
            return !kept.contains("\(entry.kind) \(entry.run ?? "") \(entry.value ?? "")")
                && !told.contains(entry.run ?? entry.key)
        }.map(\.key)
    }

    /// How many of what vanished are files of runs that are live: half a run, which nobody would look for.
    func filesOfRuns(among vanished: [String], answered: Set<String>) -> Int {
        vanished.count { key in
            let parts = key.split(separator: "/")
            return key.hasPrefix("artifact ") && parts.count > 1 && answered.contains("run \(parts[1])")
        }
    }

    /// Rows of the live database, and of those that a restore kept.
    private func keptRows(_ ground: Ground) throws -> Set<String> {
        var found: Set<String> = []
        let live = ground.database.database
        for name in try ground.databases() where name == live || name.hasPrefix("\(live)_before_") {
            // A kept one may be closed to sessions.
            try ground.session { try $0.execute("alter database \(identifier: name) allow_connections true") }
            try ground.session(in: name) { session in
                let rows = try session.rows(
                    """
                    select 'run ' || run_uuid || ' ' as line from runs
                    union all select 'param ' || run_uuid || ' ' || value from params where key = 'client'
                    union all select 'tag ' || run_uuid || ' ' || value from tags where key = 'turn'
                    """)
                for row in rows { found.insert(try row.string("line")) }
            }
        }
        return found
    }

    /// By path below the artifacts folder, the contents under that path in the live and in each kept tree.
    private func digests(_ ground: Ground) throws -> [String: Set<String>] {
        // By a file: of what a child writes only the first mebibyte is kept, and twenty restores keep twenty trees.
        let sums = try TemporaryFolder("sums")
        let list = sums.path.appending("list")
        try Shell.sh("cd '\(ground.artifacts)' && find . -type f -print0 | xargs -0 -r sha256sum > '\(list)'")
        let lines = String(decoding: try OpenFile(list, .read).readAll(), as: UTF8.self)
        var found: [String: Set<String>] = [:]
        for line in lines.split(separator: "\n") {
            guard let gap = line.range(of: "  ./") else { continue }
            var parts = line[gap.upperBound...].split(separator: "/")
            if parts.first == ".mlflow-backup-restore" {
                // Its layout inside is the program's; the path starts where EXPERIMENT/RUN/artifacts does.
                guard let artifacts = parts.firstIndex(of: "artifacts"), artifacts >= 2 else { continue }
                parts.removeFirst(artifacts - 2)
            }
            found[parts.joined(separator: "/"), default: []].insert(String(line[..<gap.lowerBound]))
        }
        return found
    }
}
