// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SQLite
import SystemIO
import Wording

extension SQLiteStore {
    /// A copy of the file, as it was at one moment, and what it holds.
    package func dump(_ request: DumpRequest) throws -> DumpedDatabase {
        guard try databases.exists(name) else { throw DatabaseStoreError.fileMissing(path: databases.path.string) }
        try Directory.makeInherited(request.folder, mode: 0o700)
        let copy = request.folder.appending(Self.dumpName)
        do {
            let live = try LiveDatabase(databases.path)
            let made = try OnlineCopy(of: live, cancellation: request.cancellation).write(to: copy) { done, all in
                let share = all > 0 ? Double(done) / Double(all) : 1
                request.progress(
                    Progress(.dumping, fraction: 0.02 + 0.3 * min(1, share), detail: "\(done >> 20) MiB"))
            }
            if made.attempts > 1 {
                request.log.warning("the copy gave way and began anew", ["attempts": made.attempts])
            }
            // What tells contents apart beside the live file is nobody's else.
            if try ContentNumber.read(SQLiteConnection(copy, as: .copy, .finished, busyTimeout: 0)) != nil {
                try ContentNumber.remove(from: copy)
                try Self.check(copy)
            }
            try OpenFile(copy, .read).sync()
        } catch let error where error.isFullDisk {
            let (size, space) = (try FileStatus.of(databases.path).size, try DiskSpace.at(request.folder))
            throw BackupError.lackingRoom(
                path: request.backups.string, needed: size, available: space.available)
        }
        let connection = try SQLiteConnection(copy, as: .copy, .finished, busyTimeout: 0)
        let survey = try StoreSurvey(connection, cancellation: request.cancellation)
        guard survey.revision != nil else { throw DatabaseStoreError.fileEmpty(path: databases.path.string) }
        let content = try ContentDigests(of: connection, cancellation: request.cancellation)
        return DumpedDatabase(
            revision: survey.revision,
            record: Manifest.Database(
                name: name, kind: .sqlite, serverVersion: SQLiteLibrary.version, dumpToolVersion: 0, rows: survey.rows,
                newest: survey.newest, oldestUnseen: content.description))
    }

    /// It was checked as a copy; since then something was taken out of it.
    private static func check(_ copy: FilePath) throws {
        let connection = try SQLiteConnection(copy, as: .copy, .finished, busyTimeout: 0)
        let found = try connection.run("PRAGMA quick_check(1)").first?[0].text
        if found != "ok" { throw connection.damage(found ?? "no answer to quick_check") }
    }
}
