// SPDX-License-Identifier: Apache-2.0

import Backup
import MLflowStore
import SQLite
import SystemIO
import Wording

/// Everything that can be set from outside, read and checked once at start.
package struct Settings: Sendable {
    package let backupDirectory: FilePath
    package let apiPort: UInt16
    package let apiAddress: String
    /// `nil` where nobody said.
    package let apiAuth: AuthChoice?
    /// Where a container's port is reached; `nil` where that is `apiAddress`.
    package let publishedAddress: String?
    /// Connections at once of one address.
    package let connectionsPerClient: Int
    /// Gets every failure, and successes where `emailOnSuccess` is set.
    package let email: MailAddress?
    package let emailOnSuccess: Bool
    /// Told of each backup that begins and ends; `nil` for nobody.
    package let ping: PingURL?
    /// Of mails and of the command line. The API goes by `Accept-Language`.
    package let language: Language
    /// `nil` when it is `off`.
    package let schedule: CronExpression?
    package let keepDays: Int
    package let maxBackups: Int?
    package let compress: Bool
    /// ISA-L's level, 0 (fastest) to 3 (smallest).
    package let compressionLevel: Int
    /// Every so many backups one takes nothing over from the one before.
    package let fullEvery: Int
    /// Whether each backup reads copies again that nobody has read for a while.
    package let scrub: ScrubChoice
    package let artifactsDirectory: FilePath
    /// Folders with artifacts beside `artifactsDirectory`.
    package let artifactRoots: [ArtifactFolder]
    /// The same of stores elsewhere.
    package let remoteRoots: [RemoteRoot]
    package let artifactRootsIgnored: IgnoredPlaces
    /// Of MLflow's database, where that is one of SQLite; `nil` for PostgreSQL.
    package let backendStore: SQLiteLocation?
    package let postgresHost: String
    package let postgresPort: UInt16
    package let postgresDatabase: String
    package let postgresUser: String
    package let postgresPassword: Secret?
    /// Where MLflow's tables are; `nil` for where they are found.
    package let postgresSchema: String?
    /// Where the stack's lock is; the same for all services of one stack.
    package let postgresMaintenanceDatabase: String
    /// Where pg_dump and pg_restore are; `nil` to look for them.
    package let postgresProgramDirectory: FilePath?
    /// What gets client programs of another version, with MAJOR in its place; shown alone.
    package let postgresClientsCommand: String?
    /// Without a slash at its end.
    package let mlflowURL: String
    /// The container that a restore stops for its swap; `nil` to leave MLflow running.
    package let mlflowContainer: String?
    /// What a person runs after a restore of an older schema; `nil` where nobody said how MLflow runs here.
    package let mlflowUpgradeCommand: String?
    /// What a restore of an older schema runs on the restored database before anything is compared; `nil` for nothing.
    package let databaseUpgradeProgram: FilePath?
    /// MLflow's own, to be tried at the rows that need them.
    package let serverKeys: ServerKeys
    /// Whether a restore stops MLflow before its last look.
    package let restoreStopsMLflow: Bool
    /// Seconds for which what a restore replaced can be brought back.
    package let undoKeepSeconds: Int64
    /// Bytes that all of it together may hold; `nil` for no bound of its own.
    package let undoKeepBytes: UInt64?
    package let docker: DockerEngine
    /// Who starts the scheduled backups.
    package let scheduler: SchedulerChoice
    /// Where `backup_mlflow.sh` and `restore_mlflow_backup.sh` are.
    package let scriptsDirectory: FilePath
    package let logFormat: Log.Format
    package let logToSyslog: Bool
    package let apiToken: Secret?
    /// Further names that the Host header may have, in lower case.
    package let allowedHosts: [String]
    /// `nil` where no SMTP_URL is given: no mail can be sent.
    package let mail: MailSettings?
    /// `TZ`, of the environment or of the file of settings; `nil` for the machine's own.
    package internal(set) var timeZone: String?
}

/// Whether old copies are read again after each backup.
package enum ScrubChoice: String, Sendable, CaseIterable {
    case auto, off
}

/// The service's own thread, or the system's cron, which calls `backup_mlflow.sh`.
package enum SchedulerChoice: String, Sendable, CaseIterable {
    case service, cron
}
