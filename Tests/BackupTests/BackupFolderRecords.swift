// SPDX-License-Identifier: Apache-2.0

import SystemIO

@testable import Backup

/// Journals and records as they lie in a backup folder that can be written to, whatever the artifacts are.
extension BackupFolder {
    var records: RestoreState { RestoreState(self, artifacts: path.appending("no-artifacts")) }
}

extension KeptPart {
    static func path(of id: String, in folder: BackupFolder) -> FilePath { path(of: id, in: folder.records) }
    static func read(_ id: String, in folder: BackupFolder) throws -> KeptPart? { try read(id, in: folder.records) }
    static func ids(in folder: BackupFolder) throws -> [String] { try ids(in: folder.records) }
    func write(in folder: BackupFolder) throws { try write(in: folder.records) }
}

extension RestoreJournal {
    func path(in folder: BackupFolder) -> FilePath { path(in: folder.records) }
    func write(in folder: BackupFolder) throws { try write(in: folder.records) }
    func remove(in folder: BackupFolder) throws { try remove(in: folder.records) }
}
