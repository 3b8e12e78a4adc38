// SPDX-License-Identifier: Apache-2.0

import Wording

extension BackupError: CodedError {
    public var errorCode: String {
        switch self {
        case .folderNotUsable: "folder-not-usable"
        case .folderVanished: "folder-vanished"
        case .writeProtected: "backup-folder-write-protected"
        case .noPlaceForBackup: "no-place-for-backup"
        case .noSuchBackup: "no-such-backup"
        case .noSuchEntry: "no-such-entry"
        case .inUse: "in-use"
        case .busy: "busy"
        case .notEnoughRoom: "not-enough-room"
        case .notEnoughFiles: "not-enough-files"
        case .noRoomForDatabase: "no-room-for-database"
        case .artifactsMissing: "artifacts-missing"
        case .databaseEmpty: "database-empty"
        case .newerData: "newer-data"
        case .schemaDiffers: "schema-differs"
        case .schemaOlder: "schema-older"
        case .schemaNewer: "schema-newer"
        case .manifestUnreadable: "manifest-unreadable"
        case .rowsDiffer: "rows-differ"
        case .artifactsDiffer: "artifacts-differ"
        case .changedMeanwhile: "changed-meanwhile"
        case .markedCorrupt: "marked-corrupt"
        case .nothingToUndo: "nothing-to-undo"
        case .undoChanged: "undo-changed"
        case .noSuchKeptPart: "no-such-kept-part"
        case .keptNotRemovable: "kept-not-removable"
        case .keptDatabaseGone: "kept-database-gone"
        case .keptBeingRemoved: "kept-being-removed"
        case .keptFilesGone: "kept-files-gone"
        case .keptRecordDamaged: "kept-record-damaged"
        case .notOurs: "not-ours"
        case .mountInside: "mount-inside"
        case .notMovable: "not-movable"
        case .artifactsUnreadable: "artifacts-unreadable"
        case .severalStacks: "several-stacks"
        case .noSuchStack: "no-such-stack"
        case .nothingToAccept: "nothing-to-accept"
        case .restoreLeftover: "restore-leftover"
        case .lateWritesKept: "late-writes-kept"
        case .needsRecovery: "needs-recovery"
        }
    }
}
