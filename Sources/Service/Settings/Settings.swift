// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Everything that can be set from outside, read and checked once at start.
public struct Settings: Sendable {
    public let backupDirectory: FilePath
    public let apiPort: UInt16
    public let apiAddress: String
    /// `nil` where nobody said.
    public let apiAuth: AuthChoice?
    /// Where a container's port is reached; `nil` where that is `apiAddress`.
    public let publishedAddress: String?
    /// Connections at once of one address.
    public let connectionsPerClient: Int
    /// Gets every failure, and successes where `emailOnSuccess` is set.
    public let email: MailAddress?
    public let emailOnSuccess: Bool
    /// Told of each backup that begins and ends; `nil` for nobody.
    public let ping: PingURL?
    /// Of mails and of the command line. The API goes by `Accept-Language`.
    public let language: Language
    /// `nil` when it is `off`.
    public let schedule: CronExpression?
    public let keepDays: Int
    public let maxBackups: Int?
    public let compress: Bool
    /// ISA-L's level, 0 (fastest) to 3 (smallest).
    public let compressionLevel: Int
    /// Every so many backups one takes nothing over from the one before.
    public let fullEvery: Int
    /// Whether each backup reads copies again that nobody has read for a while.
    public let scrub: ScrubChoice
    public let artifactsDirectory: FilePath
    public let postgresHost: String
    public let postgresPort: UInt16
    public let postgresDatabase: String
    public let postgresUser: String
    public let postgresPassword: Secret?
    /// Where the stack's lock is; the same for all services of one stack.
    public let postgresMaintenanceDatabase: String
    /// Where pg_dump and pg_restore are; `nil` to look for them.
    public let postgresProgramDirectory: FilePath?
    /// Without a slash at its end.
    public let mlflowURL: String
    /// The container that a restore stops for its swap; `nil` to leave MLflow running.
    public let mlflowContainer: String?
    /// What a person runs after a restore of an older schema; `nil` where nobody said how MLflow runs here.
    public let mlflowUpgradeCommand: String?
    /// Whether a restore stops MLflow before its last look.
    public let restoreStopsMLflow: Bool
    /// Seconds for which what a restore replaced can be brought back.
    public let undoKeepSeconds: Int64
    /// Bytes that all of it together may hold; `nil` for no bound of its own.
    public let undoKeepBytes: UInt64?
    public let docker: DockerEngine
    /// Who starts the scheduled backups.
    public let scheduler: SchedulerChoice
    /// Where `backup_mlflow.sh` and `restore_mlflow_backup.sh` are.
    public let scriptsDirectory: FilePath
    public let logFormat: Log.Format
    public let logToSyslog: Bool
    public let apiToken: Secret?
    /// Further names that the Host header may have, in lower case.
    public let allowedHosts: [String]
    /// `nil` where no SMTP_URL is given: no mail can be sent.
    public let mail: MailSettings?
}

/// Whether old copies are read again after each backup.
public enum ScrubChoice: String, Sendable, CaseIterable {
    case auto, off
}

/// The service's own thread, or the system's cron, which calls `backup_mlflow.sh`.
public enum SchedulerChoice: String, Sendable, CaseIterable {
    case service, cron
}
