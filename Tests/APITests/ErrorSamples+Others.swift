// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import HTTPServer
import ObjectStore
import SQLite
import SystemIO
import Wording

@testable import API
@testable import Backup
@testable import Postgres
@testable import Service
@testable import mlflow_backup

extension ErrorSamples {
    private static let text = BilingualText(zh: "r", en: "r")

    static let request: [RequestError] = [
        .noSuchPath("/p"), .methodNotAllowed("PUT", allowed: ["GET"]), .unauthorized, .unknownHost("h"),
        .foreignOrigin("o"), .notJSON(text), .wrongMediaType("t"), .wrongType(field: "f", expected: text),
        .missingField("f"), .unknownField("f", known: ["k"]), .badValue(field: "f", value: "v", allowed: text),
        .notDownloadable("n", path: "p"), .tooLarge(limit: 1), .malformed(.init(zh: "r", en: "r")),
        .notImplemented(.init(zh: "r", en: "r")),
        .versionNotSupported, .tooBusy, .clientLeft, .lengthRequired, .headTooLarge, .preconditionFailed,
    ]

    static let postgres: [PostgresError] = [
        .unreachable(host: "h", port: 1, reason: "r"), .authenticationFailed(user: "u"), .databaseMissing(name: "d"),
        .databaseExists(name: "d"), .tooManyConnections(reason: "r"), .diskFull(reason: "r"),
        .insufficientPrivilege(user: "u", reason: "r"), .mayNotCreateDatabases(user: "u"),
        .databaseNotOwned(name: "d", owner: "o", user: "u"), .tablesNotLockable(user: "u", tables: []),
        .databaseNotReadable(user: "u", objects: UnreadableObjects()), .needsSuperuser(user: "u", tables: ["t"]),
        .extensionsUnavailable(extensions: ["e"], tables: ["t"]), .serverReadOnly(host: "h", port: 1),
        .connectionLost(reason: "r"), .databaseInUse(name: "d", holders: ["h"]),
        .stackBusy(database: "d", holder: "h"), .pooled(host: "h", port: 1),
        .maintenanceDatabaseNotUsable(name: "d", reason: text),
        .preparedTransactions(database: "d", identifiers: ["i"]), .tablesInUse(seconds: 1, holders: []),
        .processStuck(seconds: 1, processes: []), .workUnfinished(seconds: 1, process: "p"),
        .maintenanceDatabaseDiffers(database: "d", ours: "o", other: "p", holder: "h"),
        .query(sqlstate: "XX000", message: "m"), .nulByte(text: "t"), .unexpectedValue(column: "c", found: "f"),
        .toolMissing(path: "p"), .toolTooOld(tool: "t", toolVersion: 1, serverVersion: 2),
        .toolTooNew(tool: "t", toolVersion: 2, serverVersion: 1),
        .notSecured(host: "h", port: 5432, reason: "r"),
        .dumpTooNew(dumpVersion: 18, toolVersion: 16, serverVersion: 16, needed: nil),
        .dumpTooNew(dumpVersion: 16, toolVersion: 15, serverVersion: 15, needed: 16),
        .toolFailed(tool: "t", exit: "1", lastErrorLines: []), .passwordNotExpressible,
    ]

    static let archive: [ArchiveError] = [
        .damaged(archive: "a", offset: 1, reason: .init(zh: "r", en: "r")),
        .truncated(archive: "a", expected: 2, found: 1),
        .notABackup(archive: "a", reason: .init(zh: "r", en: "r")),
        .unsafeEntry(archive: "a", path: "p", reason: .init(zh: "r", en: "r")),
        .unreadable(path: "p", reason: text), .nothingToBackUp(folder: "f"), .previousDamaged(archive: "a", offset: 1),
        .compression(reason: .init(zh: "r", en: "r")), .newerFormat(archive: "a", format: 9, known: 3),
    ]

    static let system = [ENOSPC, EDQUOT, EACCES, EPERM, EROFS, EIO, ENOENT, ENOTDIR, EBUSY].map {
        SystemError("open", path: "/p", code: $0)
    }

    static let objectStore: [ObjectStoreError] = [
        .badLocation(reason: "r"), .unsupportedScheme("s"), .badCredentials(name: "n", reason: "r"),
        .noSuchBucket(place: "p"), .accessDenied(place: "p", reason: "r"), .wrongKeys(place: "p", reason: "r"),
        .clockSkew(place: "p"), .unknownHost(place: "p", reason: "r"), .cannotConnect(place: "p", reason: "r"),
        .certificate(place: "p", reason: "r"), .stalled(place: "p", seconds: 1),
        .throttled(place: "p", seconds: 1, reason: "r"), .brokenOff(place: "p", reason: "r"), .gone(key: "k"),
        .changed(key: "k"), .tooLarge(key: "k", limit: 1), .keyNotExpressible(key: "k"), .sourceShrank(path: "p"),
        .badAnswer(place: "p", reason: "r"), .unordered(place: "p"), .refused(place: "p", status: 400, reason: "r"),
        .rcloneMissing(path: "p"), .rcloneDied(reason: "r"),
    ]

    static let taskStore: [TaskStoreError] = [
        .noSuchTask("t"), .newerSchema(path: "p", found: 2, known: 1), .openingBusy(path: "p"), .notAFile(path: "p"),
    ]

    /// SQLITE_ERROR and SQLITE_FULL of our own records; of MLflow's those, and SQLITE_BUSY, SQLITE_CORRUPT and SQLITE_CANTOPEN.
    static let sqlite =
        [1, 13].map { SQLiteError(code: $0, message: "m", path: "p", file: .taskRecords) }
        + [1, 13, 5, 11, 14].map { SQLiteError(code: $0, message: "m", path: "p", file: .live) }

    static let databaseFile: [DatabaseFileError] = [
        .locationUnusable(uri: "u", reason: text), .identityNotUsable(path: "p", reason: text),
        .busy(path: "p", holder: "h"),
        .writersInTheWay(path: "p", attempts: 3, seconds: 2.5), .inUse(path: "p", seconds: 10, holders: ["h"]),
        .silent(path: "p", seconds: 10), .moved(path: "p"), .damaged(path: "p", findings: ["f"]),
        .notExchangeable(path: "p", reason: text),
        .noRoom(path: "p", needed: 2, available: 1),
    ]

    static let databaseStore: [DatabaseStoreError] = [
        .kindDiffers(backup: "n", isSQLite: true), .kindDiffers(backup: "n", isSQLite: false), .fileMissing(path: "p"),
        .fileEmpty(path: "p"), .amongArtifacts(path: "p", folder: "f"), .noFolder(path: "p", reason: text),
        .nameTaken(name: "n", path: "p"),
    ]

    /// What has no code of its own.
    static let uncoded: [any Error] = [DockerError.unreachable(reason: "r")]

    /// Of types that have one code.
    static let single: [String: [any CodedError]] = [
        "UsageError": [UsageError.missingValue("--wait")], "SettingsError": [SettingsError.bothForms(variable: "V")],
        "ListenError": [ListenError(address: "a", port: 1, cause: HTTPServerError.portInUse(address: "a", port: 1))],
        "NotRecorded": [system[0], system[2]].map { Verification.NotRecorded(name: "n", digest: "d", reason: $0) },
        "DamageNotRecorded": [Verification.DamageNotRecorded(name: "n", cause: CancelledError(), reason: system[2])],
    ]

    /// Of an enum with a code for each case, its name and its samples.
    static let ofEnums: [String: [any CodedError]] = [
        "BackupError": backup, "ServiceError": service, "RequestError": request, "PostgresError": postgres,
        "ArchiveError": archive, "TaskStoreError": taskStore, "SystemError": system, "SQLiteError": sqlite,
        "ObjectStoreError": objectStore, "DatabaseFileError": databaseFile,
        "DatabaseStoreError": databaseStore, "CancelledError": [CancelledError()],
        "TaskCancelled": [TaskCancelled(.requested, text)],
    ].merging(single) { one, _ in one }

    static let all: [any Error] = ofEnums.values.flatMap { $0 as [any Error] } + uncoded

    /// Whether a call of the API can answer with it.
    static func isAnswered(_ error: any Error) -> Bool {
        switch error {
        // A command line, the environment of the program, a task.
        case is UsageError, is SettingsError, is ListenError, is TaskCancelled: false
        // Settings say the one, and `SQLiteStore` makes the other a `BackupError`.
        case DatabaseFileError.locationUnusable, DatabaseFileError.busy: false
        // Of tasks.
        case is Verification.NotRecorded, is Verification.DamageNotRecorded: false
        // Of tasks: no request waits for a store.
        case is ObjectStoreError: false
        // `Hold` makes the one a `BackupError`, `TaskRoutes` the other a `RequestError`; no request walks the artifacts.
        case PostgresError.stackBusy, TaskStoreError.noSuchTask, ArchiveError.nothingToBackUp: false
        // Of cat and list, of a path, of claim and of forget, which are commands alone.
        case BackupError.noSuchEntry, BackupError.folderElsewhere, BackupError.severalStacks, BackupError.noSuchStack,
            BackupError.noSuchKeptPart, BackupError.keptNotRemovable:
            false
        default: true
        }
    }

    /// Whether a command can end with it.
    static func endsCommands(_ error: any Error) -> Bool {
        switch error {
        // A command keeps its task in memory where the records do not take it.
        case is RequestError, is ServiceError, is TaskStoreError: false
        case let error as SQLiteError: error.file != .taskRecords
        case DatabaseFileError.locationUnusable, DatabaseFileError.busy: false
        case PostgresError.stackBusy: false
        // Of settings, and of single objects, which the walk handles, or nothing writes yet.
        case ObjectStoreError.badLocation, ObjectStoreError.unsupportedScheme, ObjectStoreError.gone,
            ObjectStoreError.changed, ObjectStoreError.tooLarge, ObjectStoreError.sourceShrank,
            ObjectStoreError.keyNotExpressible:
            false
        // Of the tasks of a service.
        case BackupError.inUse: false
        default: true
        }
    }
}
