// SPDX-License-Identifier: Apache-2.0

import Backup
import Service
import Wording

/// One error of each case. `ErrorListTests` sees to it that none is missing.
enum ErrorSamples {
    private static let finding = BilingualText(zh: "运行 \"lr\"", en: "run \"lr\"")

    static let backup: [BackupError] = [
        .foldersOverlap(inner: "/a/b", outer: "/a", isTakenForOurs: false),
        .rootsOverlap(inner: "/a/b", outer: "/a"), .rootsUnknown(names: ["m"]), .rootLeft(name: "m", journal: "j"),
        .remoteRootsNotRestored(backup: "/b", isFolder: false, roots: [.init(name: "m", location: "s3://b/p")]),
        .folderSilent(path: "/b"), .placesSilent, .groundMoved(path: "/b"), .lockLost,
        .folderUnfit(path: "/b", type: "t", lacking: BilingualText(zh: "l", en: "l")),
        .artifactsUnfit(path: "/a", type: "t", lacking: BilingualText(zh: "l", en: "l")),
        .stateNotUsable(path: "/b/.mlflow-backup/staging", why: .otherKind), .lowerLayer(path: "/a/1", count: 1),
        .artifactsEmptied(path: "/a"),
        .folderNotUsable(path: "/b", reason: BilingualText(zh: "r", en: "r")), .folderVanished(path: "/b"),
        .noSuchBackup(name: "n"),
        .writeProtected(path: "/b", reason: BilingualText(zh: "r", en: "r")),
        .noPlaceForBackup(path: "/b", reason: BilingualText(zh: "r", en: "r")),
        .folderElsewhere(path: "p", folder: "/b"), .noSuchEntry(backup: "n", path: "p"), .inUse(name: "n", by: "t"),
        .busy(holder: "h"),
        .notEnoughRoom(path: "/b", needed: 2, available: 1), .notEnoughFiles(path: "/b", needed: 2, available: 1),
        .artifactsMissing(path: "/a"), .databaseEmpty(name: "d"),
        .newerData(backup: "n", newer: NewerData([finding])), .schemaDiffers(backup: "n", revision: "a", live: "b"),
        .schemaOlder(backup: "n", revision: "a", live: "b", command: nil, isUpgraded: false),
        .upgradeFailed(
            backup: "n", revision: "a", live: "b", program: "/p", reason: .init(zh: "x", en: "x"), lastLines: ["l"]),
        .schemaNewer(backup: "n", revision: "a", live: "b", install: nil),
        .manifestUnreadable(backup: "n", reason: .init(zh: "r", en: "r")),
        .rowsDiffer(table: "t", expected: 1, found: 2),
        .artifactsDiffer(expectedFiles: 1, foundFiles: 2, expectedBytes: 3, foundBytes: 4),
        .severalStacks(["a@1 (1, 2026)", "b@1 (1, 2026)"]), .noSuchStack(name: "c@1", stacks: []),
        .keptNotRemovable(id: "k", reason: BilingualText(zh: "r", en: "r"), command: "c"),
        .noRoomForDatabase(reason: "r", kept: ["k"]), .keptDatabaseGone(id: "k", database: "d", older: nil),
        .keptFilesPartlyGone(id: "k", path: "p", count: 1),
        .keptFragment(id: "k", explanation: BilingualText(zh: "部分", en: "part")),
        .keptFilesGone(id: "k", path: "p", older: nil), .keptBeingRemoved(id: "k", older: "o"),
        .keptRecordDamaged(id: "k", path: "p"), .changedMeanwhile(path: "p"),
        .markedCorrupt(name: "n", reason: .init(zh: "r", en: "r")),
        .noSuchKeptPart(id: "k"), .nothingToUndo, .undoChanged(wanted: "k", newest: nil),
        .notOurs(path: "p", count: 1, user: 1, group: 1),
        .mountInside(path: "p", count: 1), .notMovable(path: "p", count: 1, reason: .frozen),
        .artifactsOutOfReach(path: "p", user: 1),
        .artifactsUnreadable(path: "p", count: 1, isAll: false, user: 1, group: 1), .nothingToAccept(name: "n"),
        .needsRecovery(reason: BilingualText(zh: "r", en: "r")),
        .lateWritesKept(
            reason: BilingualText(zh: "r", en: "r"), kept: ["20261126_020000_7f3a9c01_late"], late: NewerData()),
        .restoreLeftover(reason: BilingualText(zh: "r", en: "r")),
    ]

    static let service: [ServiceError] = [
        .stopping, .queueFull(waiting: 1), .noSuchTask("t"), .alreadyRequested(task: "t"), .alreadyEnded(task: "t"),
        .ownedElsewhere(task: "t", process: 1), .notSeenYet,
    ]
}
