// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SQLite
import SystemIO
import Wording

/// MLflow's database in a file of SQLite.
package struct SQLiteStore: TrackingStore {
    private let given: FilePath
    /// Where that leads; `nil` to look each time.
    private var followed: FilePath?
    /// Seconds that a writer of MLflow's waits for a lock before its request fails.
    let writersPatience: Double
    var databases: SQLiteDatabases { SQLiteDatabases(path) }
    // One that cannot be followed is told of by whoever opens it.
    private var path: FilePath { followed ?? (try? given.resolvedAsFarAsThere()) ?? given }

    /// What a dump is called in its folder, and in a backup.
    static let dumpName = "database.sqlite"

    package init(_ location: SQLiteLocation) {
        given = location.path
        writersPatience = location.writersPatience
    }

    package var name: String { databases.live }
    package var address: String { path.string }
    package var settingNames: String { "BACKEND_STORE_URI" }
    package var files: [FilePath] { databases.files }

    package func followingLinks() -> any TrackingStore {
        var store = self
        store.followed = path
        return store
    }

    package func session() -> any StoreSession { SQLiteSession(files: databases) }

    package func lock(
        for purpose: String, atMost seconds: Double, cancellation: Cancellation, onWait: @escaping (String) -> Void
    ) throws -> any StoreLock {
        do {
            let lock = try SQLiteLock(SQLiteIdentity(of: path), atMost: seconds, cancellation: cancellation) {
                onWait($0 ?? path.string)
            }
            return HeldFile(lock, session())
        } catch DatabaseFileError.busy(_, let holder) {
            throw BackupError.busy(holder: holder ?? path.string)
        }
    }

    package func isLocked() throws -> Bool {
        guard let identity = try SQLiteIdentity.known(of: path) else { return false }
        return SQLiteLock.isHeld(identity)
    }

    package func revision() throws -> String? {
        guard try databases.exists(name) else { return nil }
        return try SQLiteDatabases.reading(path) { try StoreSurvey.revision(on: $0) }
    }

    package func survey(atMost seconds: Double, _ cancellation: Cancellation) throws -> StoreSurvey? {
        guard try databases.exists(name) else { return nil }
        // Whoever ends a transaction waits for a reader, where there is a rollback journal.
        let limit = Cancellation(within: cancellation, atMost: min(seconds, OnlineCopy.writersPatience))
        do {
            return try SQLiteDatabases.reading(path) { connection in
                try connection.run("BEGIN")
                defer { connection.rollBack() }
                return try StoreSurvey(connection, cancellation: limit)
            }
        } catch is CancelledError {
            try cancellation.check()
            return nil
        }
    }

    package func places(atMost seconds: Double) throws -> PlaceReading { try PlaceReading(of: path, atMost: seconds) }

    package func sealedRow(_ kind: SealedRow.Kind, atMost seconds: Double) throws -> SealedRow? {
        try SealedRow.newest(kind, of: path, atMost: seconds)
    }

    package func filesSpokenOf(in artifacts: FilePath) throws -> (files: Int64, runs: Int64) {
        try StoreSurvey.filesSpokenOf(in: artifacts, database: path)
    }

    /// It would have to be read as a whole.
    package func isUnwritten(since moment: String) -> Bool { false }

    package func rows(in name: String, _ cancellation: Cancellation) throws -> any StoreRows {
        let file = try databases.file(name)
        guard try databases.exists(name) else { throw DatabaseStoreError.fileMissing(path: file.string) }
        return SQLiteRows(file: file, isLive: name == self.name, cancellation: cancellation)
    }

    package func facts() -> StoreFacts? {
        let known = try? SQLiteDatabases.reading(path) { connection in
            (
                revision: try StoreSurvey.revision(on: connection),
                journal: try connection.run("PRAGMA journal_mode").first?[0].text ?? ""
            )
        }
        guard let known else { return nil }
        var facts = ["SQLite \(SQLiteLibrary.versionText)", "journal \(known.journal)"]
        if let revision = known.revision { facts.append("alembic \(revision)") }
        return StoreFacts(
            facts: facts, name: path.string, isMLflows: known.revision != nil,
            mend: BilingualText(
                zh: "其中没有 MLflow 的表：请检查 BACKEND_STORE_URI", en: "it has no tables of MLflow's: check BACKEND_STORE_URI")
        )
    }
}

private struct SQLiteRows: StoreRows {
    let file: FilePath
    let isLive: Bool
    let cancellation: Cancellation

    private func digests() throws -> ContentDigests {
        guard isLive else {
            let connection = try SQLiteConnection(file, as: .copy, .finished, busyTimeout: 0)
            return try ContentDigests(of: connection, cancellation: cancellation)
        }
        return try SQLiteDatabases.reading(file) { connection in
            try connection.run("BEGIN")
            defer { connection.rollBack() }
            return try ContentDigests(of: connection, cancellation: cancellation)
        }
    }

    func moment() throws -> String { try digests().description }

    func written(since moment: String) throws -> StoreFindings? {
        guard let before = ContentDigests(moment) else { return nil }
        return try digests().changes(since: before)
    }

    /// A backup has the file as it is.
    func inNoDump() throws -> StoreFindings { StoreFindings() }

    func close() {}
}

/// It is gone with the process, and with the file that says which database this is.
private final class HeldFile: StoreLock {
    private var lock: SQLiteLock?
    let session: any StoreSession

    init(_ lock: SQLiteLock, _ session: any StoreSession) { (self.lock, self.session) = (lock, session) }

    var isHeld: Bool { lock?.isHeld ?? false }
    func release() { lock = nil }
}

extension SQLiteError: TrackingStoreError {
    var fullDisk: String? { isFull ? message : nil }
    var isMissing: Bool { false }
}

extension DatabaseFileError: TrackingStoreError {
    var fullDisk: String? { if case .noRoom = self { explanation.english } else { nil } }
    var isMissing: Bool { false }
}

extension DatabaseStoreError: TrackingStoreError {
    var fullDisk: String? { nil }
    var isMissing: Bool {
        switch self {
        case .fileMissing, .fileEmpty: true
        default: false
        }
    }
}

extension Error {
    /// As the system, or SQLite, says it of a file that is written.
    var isFullDisk: Bool { (self as? SystemError)?.isFull ?? (self as? SQLiteError)?.isFull ?? false }
}
