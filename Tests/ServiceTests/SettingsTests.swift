// SPDX-License-Identifier: Apache-2.0

import Backup
import ObjectStore
import SQLite
import Service
import SystemIO
import Testing
import Wording

@Suite("Settings")
struct SettingsTests {
    private func problem(_ environment: [String: String]) -> SettingsError? {
        do throws(SettingsError) { _ = try Settings.read(environment: environment) } catch { return error }
        return nil
    }

    @Test("Nothing given: the guide's defaults")
    func defaults() throws {
        let settings = try Settings.read(environment: [:])
        #expect(settings.backupDirectory == "/backup/mlflow")
        #expect(throws: Never.self) { try settings.refuseOpenDoor() }
        #expect(settings.apiPort == 8080 && settings.apiAddress == "127.0.0.1")
        #expect(settings.email == nil && !settings.emailOnSuccess && settings.mail == nil)
        #expect(settings.language == .chinese)
        #expect(settings.schedule == (try CronExpression("0 2 * * *")))
        #expect(settings.keepDays == 7 && settings.maxBackups == nil && settings.compress)
        #expect(settings.artifactsDirectory == "/mlflow/artifacts")
        #expect(settings.postgresHost == "postgres" && settings.postgresPort == 5432)
        #expect(settings.postgresDatabase == "mlflow" && settings.postgresUser == "mlflow_user")
        #expect(settings.postgresPassword == nil && settings.mlflowURL == "http://mlflow:5000")
        #expect(settings.logFormat == .text && settings.logToSyslog && settings.allowedHosts.isEmpty)
    }

    @Test("BACKEND_STORE_URI names a file of SQLite; what it says of a server is refused, and not repeated")
    func backendStore() throws {
        #expect(try Settings.read(environment: [:]).backendStore == nil)
        let settings = try Settings.read(environment: ["BACKEND_STORE_URI": "sqlite:////mlflow/mlflow.db?timeout=60"])
        #expect(settings.backendStore?.path == "/mlflow/mlflow.db" && settings.backendStore?.writersPatience == 60)
        #expect(settings.liveStack.database.name == "mlflow.db")
        for uri in ["postgresql://u:sesame@h/db", "sqlite:///mlflow.db", "sqlite:///:memory:", "/mlflow/mlflow.db"] {
            let refused = try #require(problem(["BACKEND_STORE_URI": uri]), "\(uri)")
            #expect(!refused.bilingual.english.contains("sesame"), "\(refused)")
            #expect(refused.bilingual.english.contains("sqlite:////absolute/path"), "\(refused)")
        }
    }

    @Test("S9: beyond this machine without a token the service does not start, unless somebody says so")
    func door() throws {
        func refusal(_ environment: [String: String]) throws -> SettingsError? {
            let settings = try Settings.read(environment: environment)
            do throws(SettingsError) { try settings.refuseOpenDoor() } catch { return error }
            return nil
        }
        for address in ["0.0.0.0", "::", "192.0.2.7", "127.0.0.1.example.org", "backup.example.org"] {
            #expect(try refusal(["BACKUP_API_ADDRESS": address]) == .openDoor(address: address))
            #expect(try refusal(["BACKUP_API_ADDRESS": address, "API_TOKEN": "t"]) == nil)
            #expect(try refusal(["BACKUP_API_ADDRESS": address, "BACKUP_API_AUTH": "none"]) == nil)
            // D9: as a container, which listens on all its addresses.
            #expect(
                try refusal(["BACKUP_API_ADDRESS": "0.0.0.0", "BIND_ADDRESS": address]) == .openDoor(address: address))
        }
        for address in ["127.0.0.1", "127.1.2.3", "::1", "localhost"] {
            #expect(try refusal(["BACKUP_API_ADDRESS": address]) == nil)
            #expect(try refusal(["BACKUP_API_ADDRESS": "0.0.0.0", "BIND_ADDRESS": address]) == nil)
        }
        #expect(try refusal(["BACKUP_API_AUTH": "token"]) != nil)
    }

    @Test(
        "S16: a zone that nobody knows is refused, with the nearest one",
        arguments: [
            ("Asia/Shangai", "Asia/Shanghai"), ("Europe/berlin", "Europe/Berlin"), ("Mars/Olympus", "Asia/Shanghai"),
            ("CET-", "CET"), ("CST99", "a known zone"), ("abc5-", "a known zone"),
            ("/etc/passwd", "a known zone"),
            ("../../../etc/passwd", "a known zone"), ("zone.tab", "a known zone"),
        ])
    func zone(_ name: String, _ nearest: String) throws {
        let error = try #require(problem(["TZ": name]))
        #expect(error.explanation.english.contains(nearest), "\(error)")
        #expect(error.explanation.chinese.contains(nearest == "a known zone" ? "时区" : nearest), "\(error)")
    }

    @Test(
        "Zones, rules and files that the C library knows are taken",
        arguments: [
            "Asia/Shanghai", "UTC", ":Europe/Berlin", "CST-8", "<+03>-3", "CET-1CEST,M3.5.0,M10.5.0/3",
            "/usr/share/zoneinfo/UTC", "",
        ])
    func knownZone(_ name: String) { #expect(problem(["TZ": name]) == nil) }

    @Test("A zone in the file of settings counts as one of the environment does, which wins")
    func zoneOfFile() throws {
        let folder = try ScratchFolder()
        let file = try folder.write("user.env", "TZ=Asia/Shanghai\n")
        #expect(try Settings.read(environment: [:], envFile: file).timeZone == "Asia/Shanghai")
        #expect(try Settings.read(environment: ["TZ": "UTC"], envFile: file).timeZone == "UTC")
        #expect(try Settings.read(environment: [:]).timeZone == nil)
        let wrong = try folder.write("wrong.env", "TZ=Asia/Shangai\n")
        #expect(throws: SettingsError.self) { try Settings.read(environment: [:], envFile: wrong) }
    }

    @Test("A misspelt setting of the environment is refused as one of a file is; other programs' are not ours")
    func misspelt() {
        #expect(
            problem(["BACKUP_DIRECTORY": "/b"]) == .unknownVariable("BACKUP_DIRECTORY", file: "", nearest: "BACKUP_DIR")
        )
        #expect(problem(["SMTP_USERNAM": "u"])?.explanation.english.contains("SMTP_USERNAME") == true)
        for other in [
            "POSTGRES_INITDB_ARGS", "MLFLOW_TRACKING_URI", "PATH", "HOME", "DOCKER_CONFIG", "NPM_TOKEN", "APP_TOKEN",
            "POSTGRES_DSN", "MLFLOW_URI", "ARTIFACT_DIR",
            "BACKUP_SERVICE_HOST", "BACKUP_PORT_8080_TCP", "BACKUP_PUBLISHED_PORT",
        ] {
            #expect(problem([other: "x"]) == nil, "\(other)")
        }
    }

    @Test("A path whose bytes are no UTF-8 is refused, and not taken for another one")
    func otherBytes() {
        let path = String(decoding: [0x2f, 0x62, 0xff], as: UTF8.self)
        #expect(problem(["BACKUP_DIR": path])?.explanation.english.contains("BACKUP_DIR") == true)
        #expect(problem(["ARTIFACTS_DIR": path])?.explanation.english.contains("UTF-8") == true)
    }

    @Test("Further folders with artifacts are named, each by a word of its own, and each absolutely")
    func artifactRoots() throws {
        let settings = try Settings.read(environment: ["ARTIFACT_ROOTS": "models=/mnt/m\n  notes-2=/mnt/a=b "])
        #expect(settings.artifactRoots.map(\.name) == ["models", "notes-2"])
        #expect(settings.artifactRoots.map(\.path) == ["/mnt/m", "/mnt/a=b"])
        for text in ["/mnt/m", "models=mnt", "Models=/m", "-m=/m", "a/b=/m", "..=/m", "=/m", "m=/a m=/b", "m="] {
            #expect(problem(["ARTIFACT_ROOTS": text])?.explanation.english.contains("NAME=/absolute/path") == true)
        }
    }

    @Test("A root may be a store, named as MLflow names it, and no message shows a URI that is none")
    func remoteRoots() throws {
        let settings = try Settings.read(
            environment: [
                "ARTIFACT_ROOTS": "models=/mnt/m media=s3://bucket/ml\nnas=sftp://ann:hush@host/srv b2=rclone:b2:x"
            ])
        #expect(settings.artifactRoots.map(\.name) == ["models"])
        #expect(settings.remoteRoots.map(\.name) == ["media", "nas", "b2"])
        #expect(
            settings.remoteRoots.map(\.location.description) == ["s3://bucket/ml", "sftp://host/srv", "rclone:b2:x"])
        for text in [
            "m=s3:/hush/x", "m=nfs://hush/x", "m=s3://b/hush/../x", "m=sftp://a:hush@", "m=s3://b/x m=/hush",
            "M=s3://hush/x",
        ] {
            let words = problem(["ARTIFACT_ROOTS": text])?.explanation
            #expect(words?.english.contains("NAME=URI") == true, "\(text)")
            #expect(words?.english.contains("hush") == false && words?.chinese.contains("hush") == false, "\(text)")
        }
    }

    @Test("How restores go: what they keep, whether they stop MLflow, what upgrades the database")
    func restores() throws {
        let usual = try Settings.read(environment: [:])
        #expect(usual.undoKeepSeconds == 86_400 && !usual.restoreStopsMLflow && usual.mlflowUpgradeCommand == nil)
        for (text, seconds) in [("24h", 86_400), ("90m", 5400), ("2d", 172_800), ("45s", 45), ("0", 0), ("0d", 0)] {
            #expect(try Settings.read(environment: ["UNDO_KEEP": text]).undoKeepSeconds == seconds, "\(text)")
        }
        for text in [
            "24", "h", "-1h", "1.5h", "1w", "24 h", "٢d", "99999999999999999999d", "9223372036854775807d", "400d",
        ] {
            #expect(problem(["UNDO_KEEP": text])?.explanation.english.contains("24h") == true, "\(text)")
        }
        #expect(usual.undoKeepBytes == nil)
        let sizes: [(String, UInt64)] = [
            ("20G", 20 << 30), ("500M", 500 << 20), ("1T", 1 << 40), ("7K", 7168), ("0", 0), ("1024T", 1 << 50),
        ]
        for (text, bytes) in sizes {
            let settings = try Settings.read(environment: ["UNDO_KEEP_SIZE": text])
            #expect(settings.undoKeepBytes == bytes, "\(text)")
            #expect(settings.operations(log: .silent).workspace.keepBytes == bytes, "\(text)")
        }
        for text in ["20", "G", "-1G", "1.5G", "20GB", "20 G", "20g", "٢G", "99999999999999999999G", "1025T"] {
            #expect(problem(["UNDO_KEEP_SIZE": text])?.explanation.english.contains("20G") == true, "\(text)")
        }
        let told = try Settings.read(environment: [
            "RESTORE_STOPS_MLFLOW": "true", "MLFLOW_UPGRADE_COMMAND": "docker exec mlflow-server mlflow-db-upgrade",
        ])
        #expect(told.restoreStopsMLflow)
        #expect(told.mlflowUpgradeCommand == "docker exec mlflow-server mlflow-db-upgrade")
        #expect(told.operations(log: .silent).restoring.upgradeCommand == told.mlflowUpgradeCommand)
        #expect(told.operations(log: .silent).restoring.upgrade == nil)
        let upgraded = try Settings.read(environment: ["DATABASE_UPGRADE_PROGRAM": "/app/bin/upgrade-database"])
        #expect(upgraded.operations(log: .silent).restoring.upgrade?.program == "/app/bin/upgrade-database")
        #expect(problem(["DATABASE_UPGRADE_PROGRAM": "upgrade"]) != nil)
    }

    @Test("Flags win over the environment, the environment over the file; an empty value is none")
    func precedence() throws {
        let folder = try ScratchFolder()
        let file = try folder.write(
            "env",
            """
            # a comment
            BACKUP_DIR=/from/file
            POSTGRES_HOST = db.internal
            POSTGRES_USER="quoted user"
            MLFLOW_URL=http://mlflow.internal:5000/
            BACKUP_KEEP_DAYS=3
            SOMEBODY_ELSES=$(rm -rf /)
            """)
        let settings = try Settings.read(
            flags: ["BACKUP_DIR": "/from/flag/"],
            environment: ["BACKUP_DIR": "/from/environment", "POSTGRES_HOST": "db.env", "BACKUP_KEEP_DAYS": ""],
            envFile: file)
        #expect(settings.backupDirectory == "/from/flag")
        #expect(settings.postgresHost == "db.env" && settings.postgresUser == "quoted user")
        #expect(settings.keepDays == 3 && settings.mlflowURL == "http://mlflow.internal:5000")
    }

    @Test("A secret may stand in a file; both forms in one place are an error; the stronger place wins")
    func secrets() throws {
        let folder = try ScratchFolder()
        let file = try folder.write("password", "from file \n")
        let read = try Settings.read(environment: ["POSTGRES_PASSWORD_FILE": file.string])
        #expect(read.postgresPassword?.revealed == "from file ")
        #expect(
            problem(["POSTGRES_PASSWORD_FILE": file.string, "POSTGRES_PASSWORD": "x"])
                == .bothForms(variable: "POSTGRES_PASSWORD"))
        let flagged = try Settings.read(
            flags: ["POSTGRES_PASSWORD_FILE": file.string], environment: ["POSTGRES_PASSWORD": "weaker"])
        #expect(flagged.postgresPassword?.revealed == "from file ")
        let missing = problem(["API_TOKEN_FILE": "/nonexistent"])
        guard case .unreadableFile(variable: "API_TOKEN_FILE", _) = try #require(missing) else {
            throw try #require(missing)
        }
        let empty = try folder.write("empty", "\n")
        #expect(problem(["API_TOKEN_FILE": empty.string]) != nil)
        #expect(!"\(read)".contains("from file"))
    }

    @Test(
        "A bad value is named with what is allowed",
        arguments: [
            ("BACKUP_API_PORT", "0"), ("BACKUP_API_PORT", "70000"), ("BACKUP_API_PORT", "80a"),
            ("BACKUP_DIR", "relative"),
            ("BACKUP_EMAIL", "a b@c"), ("BACKUP_EMAIL_SUCCESS", "perhaps"), ("BACKUP_LANG", "fr"),
            ("BACKUP_SCHEDULE", "0 0 30 2 *"), ("BACKUP_KEEP_DAYS", "0"), ("BACKUP_MAX_BACKUPS", "-1"),
            ("MLFLOW_URL", "mlflow:5000"), ("MLFLOW_URL", "http://"), ("MLFLOW_URL", "http://h:99999"),
            ("LOG_FORMAT", "xml"),
            ("SMTP_URL", "http://mail"), ("SMTP_STARTTLS", "maybe"), ("SMTP_FROM", "me"), ("PG_BIN_DIR", "bin"),
        ])
    func badValue(variable: String, value: String) throws {
        let error = try #require(problem([variable: value]))
        for text in [error.explanation.chinese, error.explanation.english] {
            #expect(text.contains(variable) && text.contains(value))
        }
    }

    @Test("A password inside a URL is refused and not shown")
    func passwordInURL() throws {
        let error = try #require(problem(["SMTP_URL": "smtp://me:geheim@mail:587"]))
        #expect(!error.explanation.english.contains("geheim") && !error.explanation.chinese.contains("geheim"))
    }

    @Test(
        "A misspelt name in the file is refused with the one that was meant",
        arguments: [
            ("BACKUP_DIRECTORY", "BACKUP_DIR"), ("POSTGRES_PASWORD", "POSTGRES_PASSWORD"),
            ("SMTP_PASSWORD_FIL", "SMTP_PASSWORD_FILE"), ("BACKUP_KEEPDAYS", "BACKUP_KEEP_DAYS"),
        ])
    func misspelt(name: String, meant: String) throws {
        let folder = try ScratchFolder()
        let file = try folder.write("env", "\(name)=/x\n")
        #expect(throws: SettingsError.unknownVariable(name, file: file.string, nearest: meant)) {
            try Settings.read(environment: [:], envFile: file)
        }
    }

    @Test("A line without = and a file that is not there are named")
    func badFile() throws {
        let folder = try ScratchFolder()
        let file = try folder.write("env", "BACKUP_DIR=/x\r\n\r\nexport\r\n")
        #expect(throws: SettingsError.badLine(file: file.string, line: 3)) {
            try Settings.read(environment: [:], envFile: file)
        }
        #expect(throws: SettingsError.self) { try Settings.read(environment: [:], envFile: "/nonexistent") }
    }

    @Test(
        "The language comes from BACKUP_LANG, then from the locale, which C does not say",
        arguments: [
            (["LANG": "en_US.UTF-8"], Language.english), (["LANG": "C.UTF-8"], .chinese),
            (["LC_ALL": "POSIX"], .chinese),
            (["LANG": "zh_CN.UTF-8"], .chinese), (["LC_ALL": "en", "LANG": "zh_CN"], .english),
            (["LC_ALL": "C", "LANG": "en_GB"], .english), (["LANG": "en_US.UTF-8", "BACKUP_LANG": "zh"], .chinese),
            (["LANG": "de_DE.UTF-8"], .chinese), ([:], .chinese),
        ])
    func language(environment: [String: String], expected: Language) throws {
        #expect(try Settings.read(environment: environment).language == expected)
    }

    @Test("Mail: STARTTLS is required where there is a password; name and password come together")
    func mail() throws {
        var environment = ["SMTP_URL": "smtp://mail:587", "SMTP_FROM": "b@c.d"]
        #expect(try Settings.read(environment: environment).mail?.startTLS == .optional)
        environment["SMTP_USERNAME"] = "me"
        #expect(problem(environment) == .missing(variable: "SMTP_PASSWORD", neededBy: "SMTP_USERNAME"))
        environment["SMTP_PASSWORD"] = "geheim"
        let mail = try Settings.read(environment: environment).mail
        #expect(mail?.startTLS == .required && mail?.from.text == "b@c.d" && mail?.password?.revealed == "geheim")
        environment["SMTP_STARTTLS"] = "off"
        #expect(try Settings.read(environment: environment).mail?.startTLS == .off)
    }

    @Test("Off switches the schedule off, host names are a list")
    func lists() throws {
        let settings = try Settings.read(
            environment: ["BACKUP_SCHEDULE": "off", "ALLOWED_HOSTS": "Backup.Example.com, mlflow-backup ,"])
        #expect(settings.schedule == nil)
        #expect(settings.allowedHosts == ["backup.example.com", "mlflow-backup"])
    }

    @Test("Flags are named after the variables; a secret's flag names a file")
    func flags() {
        #expect(SettingName.backupDirectory.flag == "--backup-dir")
        #expect(SettingName.postgresPassword.flag == "--postgres-password-file")
    }
}
