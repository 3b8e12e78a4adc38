// SPDX-License-Identifier: Apache-2.0

/// Every setting, by its variable in the environment. (`TZ`, and what libpq, libcurl and OpenSSL read, are none.)
package enum SettingName: String, Sendable, CaseIterable {
    case backupDirectory = "BACKUP_DIR"
    case apiPort = "BACKUP_API_PORT"
    case apiAddress = "BACKUP_API_ADDRESS"
    case apiAuth = "BACKUP_API_AUTH"
    case publishedAddress = "BIND_ADDRESS"
    case connectionsPerClient = "BACKUP_API_CONNECTIONS_PER_CLIENT"
    case email = "BACKUP_EMAIL"
    case emailOnSuccess = "BACKUP_EMAIL_SUCCESS"
    case pingURL = "BACKUP_PING_URL"
    case language = "BACKUP_LANG"
    case schedule = "BACKUP_SCHEDULE"
    case keepDays = "BACKUP_KEEP_DAYS"
    case maxBackups = "BACKUP_MAX_BACKUPS"
    case compress = "BACKUP_COMPRESS"
    case compressionLevel = "BACKUP_COMPRESSION_LEVEL"
    case fullEvery = "BACKUP_FULL_EVERY"
    case scrub = "BACKUP_SCRUB"
    case artifactsDirectory = "ARTIFACTS_DIR"
    case artifactRoots = "ARTIFACT_ROOTS"
    case artifactRootsIgnored = "ARTIFACT_ROOTS_IGNORED"
    case backendStore = "BACKEND_STORE_URI"
    case postgresHost = "POSTGRES_HOST"
    case postgresPort = "POSTGRES_PORT"
    case postgresDatabase = "POSTGRES_DB"
    case postgresUser = "POSTGRES_USER"
    case postgresPassword = "POSTGRES_PASSWORD"
    case postgresSchema = "POSTGRES_SCHEMA"
    case postgresMaintenanceDatabase = "POSTGRES_MAINTENANCE_DB"
    case postgresProgramDirectory = "PG_BIN_DIR"
    case postgresClientsCommand = "POSTGRES_CLIENTS_COMMAND"
    case mlflowURL = "MLFLOW_URL"
    case mlflowContainer = "MLFLOW_CONTAINER"
    case mlflowUpgradeCommand = "MLFLOW_UPGRADE_COMMAND"
    case databaseUpgradeProgram = "DATABASE_UPGRADE_PROGRAM"
    case webhookKey = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
    case gatewayPassphrase = "MLFLOW_CRYPTO_KEK_PASSPHRASE"
    case restoreStopsMLflow = "RESTORE_STOPS_MLFLOW"
    case undoKeep = "UNDO_KEEP"
    case undoKeepSize = "UNDO_KEEP_SIZE"
    case dockerHost = "DOCKER_HOST"
    case scheduler = "BACKUP_SCHEDULER"
    case scriptsDirectory = "BACKUP_SCRIPTS_DIR"
    case logFormat = "LOG_FORMAT"
    case logToSyslog = "LOG_SYSLOG"
    case apiToken = "API_TOKEN"
    case allowedHosts = "ALLOWED_HOSTS"
    case smtpURL = "SMTP_URL"
    case smtpUsername = "SMTP_USERNAME"
    case smtpPassword = "SMTP_PASSWORD"
    case smtpFrom = "SMTP_FROM"
    case smtpStartTLS = "SMTP_STARTTLS"
    case smtpAuthorityFile = "SMTP_CA_FILE"

    /// Secrets are never shown, may stand in a file named by `NAME_FILE`, and are no flags: `ps` shows flags.
    package var isSecret: Bool {
        switch self {
        case .postgresPassword, .apiToken, .smtpPassword, .pingURL, .webhookKey, .gatewayPassphrase: true
        default: false
        }
    }

    /// `POSTGRES_PASSWORD_FILE`, for secrets only.
    package var fileVariable: String { rawValue + "_FILE" }

    /// The variable itself, or for a secret both of its forms.
    var variables: [String] { isSecret ? [rawValue, fileVariable] : [rawValue] }

    /// `--backup-dir`; for a secret `--postgres-password-file`.
    package var flag: String {
        "--" + (isSecret ? fileVariable : rawValue).lowercased().split(separator: "_").joined(separator: "-")
    }
}
