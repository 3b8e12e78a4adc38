// SPDX-License-Identifier: Apache-2.0

import Wording

extension BackupError: CodedError {
    package var errorCode: String {
        switch self {
        case .folderNotUsable: "folder-not-usable"
        case .stateNotUsable: "state-not-usable"
        case .folderVanished: "folder-vanished"
        case .writeProtected: "backup-folder-write-protected"
        case .noPlaceForBackup: "no-place-for-backup"
        case .foldersOverlap: "folders-overlap"
        case .rootsOverlap: "artifact-roots-overlap"
        case .rootsUnknown: "artifact-roots-unknown"
        case .rootLeft: "artifact-root-left"
        case .remoteRootsNotRestored: "remote-roots-not-restored"
        case .folderSilent: "folder-silent"
        case .placesSilent: "places-silent"
        case .groundMoved: "ground-moved"
        case .lockLost: "lock-lost"
        case .folderUnfit: "folder-unfit"
        case .artifactsUnfit: "artifacts-unfit"
        case .lowerLayer: "lower-layer"
        case .noSuchBackup: "no-such-backup"
        case .folderElsewhere: "folder-elsewhere"
        case .noSuchEntry: "no-such-entry"
        case .inUse: "in-use"
        case .busy: "busy"
        case .notEnoughRoom: "not-enough-room"
        case .notEnoughFiles: "not-enough-files"
        case .noRoomForDatabase: "no-room-for-database"
        case .artifactsMissing: "artifacts-missing"
        case .artifactsEmptied: "artifacts-emptied"
        case .databaseEmpty: "database-empty"
        case .newerData: "newer-data"
        case .schemaDiffers: "schema-differs"
        case .schemaOlder: "schema-older"
        case .schemaNewer: "schema-newer"
        case .upgradeFailed: "schema-upgrade-failed"
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
        case .keptFilesPartlyGone: "kept-files-partly-gone"
        case .keptFragment: "kept-fragment"
        case .keptRecordDamaged: "kept-record-damaged"
        case .notOurs: "not-ours"
        case .mountInside: "mount-inside"
        case .notMovable: "not-movable"
        case .artifactsUnreadable: "artifacts-unreadable"
        case .artifactsOutOfReach: "artifacts-out-of-reach"
        case .severalStacks: "several-stacks"
        case .noSuchStack: "no-such-stack"
        case .nothingToAccept: "nothing-to-accept"
        case .restoreLeftover: "restore-leftover"
        case .lateWritesKept: "late-writes-kept"
        case .needsRecovery: "needs-recovery"
        }
    }

    package var failureKind: FailureKind {
        switch self {
        case .noSuchBackup, .folderElsewhere, .noSuchEntry, .noSuchKeptPart, .noSuchStack: .notFound
        case .busy, .inUse, .changedMeanwhile: .busy
        // These and no others are what force skips.
        case .newerData, .schemaDiffers, .schemaOlder, .keptFilesPartlyGone, .keptFragment, .remoteRootsNotRestored:
            .refused
        case .markedCorrupt, .manifestUnreadable, .rowsDiffer, .artifactsDiffer: .damaged
        case .notEnoughRoom, .notEnoughFiles, .noRoomForDatabase: .noRoom
        case .severalStacks, .foldersOverlap, .rootsOverlap, .rootsUnknown: .usage
        case .schemaNewer, .nothingToUndo, .undoChanged, .keptNotRemovable, .keptDatabaseGone, .keptFilesGone,
            .keptBeingRemoved,
            .keptRecordDamaged, .noPlaceForBackup, .nothingToAccept, .artifactsUnfit, .lowerLayer, .mountInside,
            .notOurs,
            .notMovable:
            .conflict
        case .folderNotUsable, .stateNotUsable, .folderVanished, .writeProtected, .folderSilent, .placesSilent,
            .groundMoved,
            .lockLost, .folderUnfit, .artifactsMissing, .artifactsEmptied, .artifactsUnreadable, .artifactsOutOfReach,
            .databaseEmpty, .needsRecovery, .restoreLeftover, .rootLeft, .upgradeFailed:
            .unavailable
        case .lateWritesKept: .failed
        }
    }
}
