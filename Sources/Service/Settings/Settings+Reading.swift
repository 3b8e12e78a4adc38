// SPDX-License-Identifier: Apache-2.0

import Backup
import MLflowStore
import ObjectStore
import Postgres
import SQLite
import SystemIO
import Wording

extension Settings {
    /// Reads all settings; the first one that is not valid is thrown.
    /// - Parameters:
    ///   - flags: values of command-line flags by variable name: `["BACKUP_DIR": "/b"]`. They win.
    ///   - environment: the process's own.
    ///   - envFile: read last, so the weakest.
    package static func read(
        flags: [String: String] = [:], environment: [String: String], envFile: FilePath? = nil
    ) throws(SettingsError) -> Settings {
        for key in environment.keys.sorted() {
            if let nearest = SettingName.misspelling(inEnvironment: key) {
                throw .unknownVariable(key, file: "", nearest: nearest)
            }
        }
        var layers = [flags, environment]
        if let envFile { layers.append(try EnvironmentFile(envFile).values) }
        let zone = layers.lazy.compactMap { $0[TimeZoneName.variable] }.first
        try TimeZoneName.refuseUnknown(zone, folder: environment["TZDIR"])
        var variables = environment
        for layer in layers.dropFirst(2) { variables.merge(layer) { stronger, _ in stronger } }
        var settings = try Settings(
            SettingsReader(layers: layers), environment: environment, variables: StoreVariables(variables))
        settings.timeZone = zone
        return settings
    }

    private init(
        _ reader: SettingsReader, environment: [String: String], variables: StoreVariables
    ) throws(SettingsError) {
        backupDirectory = try reader.path(.backupDirectory) ?? "/backup/mlflow"
        apiPort = UInt16(try reader.number(.apiPort, in: 1...65_535) ?? 8080)
        apiAddress = reader.text(.apiAddress) ?? "127.0.0.1"
        apiAuth = try reader.choice(.apiAuth, of: AuthChoice.self)
        publishedAddress = reader.text(.publishedAddress)
        connectionsPerClient = try reader.number(.connectionsPerClient, in: 1...1024) ?? 256
        email = try reader.address(.email)
        emailOnSuccess = try reader.flag(.emailOnSuccess, default: false)
        ping = try Self.ping(reader)
        language = try reader.choice(.language, of: Language.self) ?? Self.language(of: environment)
        schedule = try Self.schedule(reader)
        keepDays = try reader.number(.keepDays, in: 1...36_500) ?? 7
        maxBackups = try reader.number(.maxBackups, in: 1...1_000_000)
        compress = try reader.flag(.compress, default: true)
        compressionLevel = try reader.number(.compressionLevel, in: 0...3) ?? 2
        fullEvery = try reader.number(.fullEvery, in: 1...1000) ?? 7
        scrub = try reader.choice(.scrub, of: ScrubChoice.self) ?? .auto
        artifactsDirectory = try reader.path(.artifactsDirectory) ?? "/mlflow/artifacts"
        (artifactRoots, remoteRoots) = try Self.artifactRoots(reader, variables)
        artifactRootsIgnored = try Self.ignoredPlaces(reader)
        backendStore = try Self.backendStore(reader)
        let service = try Self.service(environment)
        postgresHost = reader.text(.postgresHost) ?? service?.host ?? "postgres"
        let usualPort = try Self.port(of: service)
        postgresPort = UInt16(try reader.number(.postgresPort, in: 1...65_535) ?? usualPort)
        postgresDatabase = reader.text(.postgresDatabase) ?? service?.database ?? "mlflow"
        postgresUser = reader.text(.postgresUser) ?? service?.user ?? "mlflow_user"
        postgresPassword = try reader.secret(.postgresPassword)
        postgresSchema = reader.text(.postgresSchema)
        postgresMaintenanceDatabase = reader.text(.postgresMaintenanceDatabase) ?? "postgres"
        postgresProgramDirectory = try reader.path(.postgresProgramDirectory)
        postgresClientsCommand = reader.text(.postgresClientsCommand)
        mlflowURL = try reader.url(.mlflowURL, schemes: ["http", "https"]) ?? "http://mlflow:5000"
        mlflowContainer = try Self.container(reader)
        mlflowUpgradeCommand = reader.text(.mlflowUpgradeCommand)
        databaseUpgradeProgram = try reader.path(.databaseUpgradeProgram)
        serverKeys = ServerKeys(
            webhooks: try reader.secret(.webhookKey), gateway: try reader.secret(.gatewayPassphrase))
        restoreStopsMLflow = try reader.flag(.restoreStopsMLflow, default: false)
        undoKeepSeconds = try reader.duration(.undoKeep) ?? 24 * 3600
        undoKeepBytes = try reader.size(.undoKeepSize)
        docker = try Self.docker(reader)
        scheduler = try reader.choice(.scheduler, of: SchedulerChoice.self) ?? .service
        scriptsDirectory = try reader.path(.scriptsDirectory) ?? "/app/backup_services"
        logFormat = try reader.choice(.logFormat, of: LogFormatName.self)?.format ?? .text
        logToSyslog = try reader.flag(.logToSyslog, default: true)
        apiToken = try reader.secret(.apiToken)
        allowedHosts = (reader.text(.allowedHosts) ?? "").split(separator: ",")
            .map { $0.trimmingSpaces.lowercased() }.filter { !$0.isEmpty }
        mail = try MailSettings(reader)
    }

    /// MLflow's own `--backend-store-uri`, of SQLite: what another one says of a server may hold a password, and is not repeated.
    private static func backendStore(_ reader: SettingsReader) throws(SettingsError) -> SQLiteLocation? {
        guard let uri = reader.text(.backendStore) else { return nil }
        let wanted = BilingualText(
            zh: "sqlite:////绝对路径/mlflow.db；PostgreSQL 请使用 POSTGRES_HOST、POSTGRES_DB 等设置",
            en: "sqlite:////absolute/path/mlflow.db; PostgreSQL is named by POSTGRES_HOST, POSTGRES_DB and so on")
        guard uri.lowercased().hasPrefix("sqlite") else {
            throw reader.bad(.backendStore, String(uri.prefix { $0 != ":" }), wanted)
        }
        do { return try SQLiteLocation(uri: uri) } catch {
            guard case .locationUnusable(_, let reason) = error else { throw reader.bad(.backendStore, uri, wanted) }
            throw reader.bad(
                .backendStore, uri, wanted + BilingualText(zh: "（", en: " (") + reason + BilingualText(zh: "）", en: ")")
            )
        }
    }

    private static func ignoredPlaces(_ reader: SettingsReader) throws(SettingsError) -> IgnoredPlaces {
        let lines = (reader.text(.artifactRootsIgnored) ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
        let (places, fault) = IgnoredPlaces.reading(lines)
        guard let fault else { return places }
        // A URI may hold a password anywhere.
        throw .badValue(
            variable: SettingName.artifactRootsIgnored.rawValue, shown: "#\(fault)",
            allowed: BilingualText(
                zh: "绝对路径或 URI，用空格或换行分隔，例如 s3://bucket/mlflow /mnt/nas（空格写作 file:///mnt/a%20b）",
                en:
                    "absolute paths or URIs, separated by spaces or line ends, such as s3://bucket/mlflow /mnt/nas (a space is %20 in file:///mnt/a%20b)"
            ))
    }

    private static func ping(_ reader: SettingsReader) throws(SettingsError) -> PingURL? {
        guard let secret = try reader.secret(.pingURL), !secret.isEmpty else { return nil }
        let text = secret.revealed
        let isAddress = ["http://", "https://"].contains { text.lowercased().hasPrefix($0) && text.count > $0.count }
        guard isAddress, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw reader.bad(
                .pingURL, text,
                BilingualText(zh: " http:// 或 https:// 开头的地址", en: "an address that begins with http:// or https://"))
        }
        return PingURL(text)
    }

    /// The name goes into the path of a request: it may hold only what Docker allows in one.
    private static func container(_ reader: SettingsReader) throws(SettingsError) -> String? {
        guard let name = reader.text(.mlflowContainer), !name.isEmpty else { return nil }
        let isName = name.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789_.-".unicodeScalars.contains(scalar))
        }
        guard isName, name.first != ".", name.first != "-" else {
            throw reader.bad(
                .mlflowContainer, name,
                BilingualText(zh: "容器名，如 mlflow-server", en: "a container's name, as mlflow-server"))
        }
        return name
    }

    private static func docker(_ reader: SettingsReader) throws(SettingsError) -> DockerEngine {
        let text = reader.text(.dockerHost) ?? DockerEngine.usualHost
        guard let engine = DockerEngine(host: text) else {
            throw reader.bad(
                .dockerHost, text, BilingualText(zh: "unix:///路径 或 tcp://主机:端口", en: "unix:///path or tcp://host:port"))
        }
        return engine
    }

    private static func schedule(_ reader: SettingsReader) throws(SettingsError) -> CronExpression? {
        let text = reader.text(.schedule) ?? "0 2 * * *"
        if text.lowercased() == "off" { return nil }
        do throws(CronError) { return try CronExpression(text) } catch {
            let reason = error.reason
            throw reader.bad(
                .schedule, text,
                BilingualText(
                    zh: "五个字段的 cron 表达式，或 off（\(reason.chinese)）",
                    en: "a cron expression of five fields, or off (\(reason.english))"))
        }
    }

    /// The first of LC_ALL, LC_MESSAGES and LANG that names a language we have. `C` and `POSIX` say nothing of the
    /// reader: containers have them by default.
    package static func language(of environment: [String: String]) -> Language {
        for variable in ["LC_ALL", "LC_MESSAGES", "LANG"] {
            guard let value = environment[variable], !value.isEmpty else { continue }
            let language = value.prefix { $0 != "_" && $0 != "." && $0 != "@" && $0 != "-" }.lowercased()
            if let known = Language(rawValue: language) { return known }
        }
        return .chinese
    }
}

/// `Log.Format` with its cases listed, for the message that names them.
private enum LogFormatName: String, CaseIterable {
    case text, json

    var format: Log.Format { self == .json ? .json : .text }
}
