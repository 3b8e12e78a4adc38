// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemIO

/// What a restore is doing, on disk before it does it, so that a crash at any instant can be put right.
///
/// | stage | what is live | after a crash |
/// | --- | --- | --- |
/// | preparing | the old data, untouched | drop what was prepared |
/// | committing | old, new, or part of each | forward if the database was swapped, back if it was not |
/// | committed | the new data | drop the old data |
struct RestoreJournal: Sendable, Equatable, Codable {
    enum Stage: String, Sendable, Codable { case preparing, committing, committed }

    var backup: String
    var mode: RestoreMode
    var stage: Stage
    var liveDatabase: String
    /// Where the dump is loaded, and where the live database goes in the swap.
    var newDatabase: String
    var oldDatabase: String
    /// Whether there was a live database when the restore began.
    var hadDatabase: Bool
    /// Bytes of the artifacts folder's path.
    var artifacts: [UInt8]
    var plan: ArtifactSwap.Plan?

    var swap: ArtifactSwap { ArtifactSwap(root: FilePath(bytes: artifacts)) }

    func write(in folder: BackupFolder) throws {
        try DurableFile.replace(folder.restoreJournal, with: Array(JSONEncoder().encode(self)), mode: 0o600)
    }

    static func read(in folder: BackupFolder) throws -> RestoreJournal? {
        guard try FileStatus.ifPresent(folder.restoreJournal) != nil else { return nil }
        let bytes = try OpenFile(folder.restoreJournal, .readNoFollow).readAll()
        do { return try JSONDecoder().decode(RestoreJournal.self, from: Data(bytes)) } catch {
            throw BackupError.needsRecovery(reason: "the restore journal cannot be read: \(error)")
        }
    }

    static func remove(in folder: BackupFolder) throws {
        try Directory.remove(folder.restoreJournal)
        try Directory.sync(folder.state)
    }
}
