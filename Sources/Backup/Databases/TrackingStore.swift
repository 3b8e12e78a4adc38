// SPDX-License-Identifier: Apache-2.0

import MLflowStore
import SystemIO
import Wording

/// The database of an MLflow's that decides what is live, of whatever kind. See docs/stores.md, "What the jobs ask of a database".
package protocol TrackingStore: Sendable {
    /// What the live database is called: part of the stack's identity, of journals and of manifests.
    var name: String { get }
    /// Where it is, without what lets anybody in: for identities of which nobody may ask more, and for a person.
    var address: String { get }
    /// The settings that name it, for a sentence.
    var settingNames: String { get }
    /// Files of it on this machine, which nothing but its own library may open.
    var files: [FilePath] { get }

    /// The same where it really is: a link is followed once, and all of an operation sees one database.
    func followingLinks() -> any TrackingStore
    /// For questions, without the lock.
    func session() -> any StoreSession
    /// Waits for whoever holds it.
    /// - Parameters:
    ///   - purpose: what those hear who wait for us.
    ///   - onWait: called once with the holder, where it has to be waited for.
    /// - Throws: `BackupError.busy` once the time is up, `CancelledError`.
    func lock(
        for purpose: String, atMost seconds: Double, cancellation: Cancellation, onWait: @escaping (String) -> Void
    ) throws -> any StoreLock
    /// Whether somebody has the lock.
    func isLocked() throws -> Bool

    /// `alembic_version.version_num`; `nil` where there is no database, or none of MLflow's.
    func revision() throws -> String?
    /// What the live database holds, in numbers.
    /// - Returns: `nil` where there is none, the time does not do, or somebody would have to wait for us.
    func survey(atMost seconds: Double, _ cancellation: Cancellation) throws -> StoreSurvey?
    /// Where the database says that artifacts are.
    func places(atMost seconds: Double) throws -> PlaceReading
    /// The newest row that needs a key of the server's.
    func sealedRow(_ kind: SealedRow.Kind, atMost seconds: Double) throws -> SealedRow?
    /// How much its tables speak of files in a folder, and of how many runs.
    func filesSpokenOf(in artifacts: FilePath) throws -> (files: Int64, runs: Int64)

    /// What a backup of it would meet.
    /// - Parameters:
    ///   - held: the session of who holds the lock, where there is one.
    ///   - isHasty: whether somebody waits for the answer, and asks often.
    /// - Returns: what its dump will be about; `nil` where that cannot be told.
    func check(holding held: (any StoreSession)?, isHasty: Bool, _ findings: inout Findings) -> BackupRoom.Dump?
    /// Whether nothing was written since a backup noted this moment.
    func isUnwritten(since moment: String) -> Bool
    /// Writes all of it into a folder, as it is at one moment.
    func dump(_ request: DumpRequest) throws -> DumpedDatabase
    /// One of its databases, to be asked for what was written to it.
    func rows(in name: String, _ cancellation: Cancellation) throws -> any StoreRows
    /// For `doctor`; `nil` where it does not answer.
    func facts() -> StoreFacts?
}

/// What is written where, and who is told of it.
package struct DumpRequest {
    /// Made by the dump; a name that is free.
    let folder: FilePath
    /// Where the backup is to be, for the words of a full disk.
    let backups: FilePath
    let threads: Int
    let cancellation: Cancellation
    let progress: ProgressSink
    let log: Log
}

/// A dump, and what it holds, of one moment.
package struct DumpedDatabase {
    /// Of the schema (`alembic_version.version_num`).
    let revision: String?
    let record: Manifest.Database
}

/// What a person who asks is told of a database.
package struct StoreFacts {
    /// Such as `PostgreSQL 15.10`.
    var facts: [String]
    var name: String
    /// Whether it has MLflow's tables.
    var isMLflows: Bool
    /// Where it has not.
    var mend: BilingualText
}

/// What was written to one database.
package protocol StoreRows {
    /// Tells this content from every later one.
    func moment() throws -> String
    /// What was written at or after a moment.
    /// - Returns: `nil` where that cannot be told any more.
    func written(since moment: String) throws -> StoreFindings?
    /// Rows that no dump holds, whenever they were written.
    func inNoDump() throws -> StoreFindings
    func close()
}
