// SPDX-License-Identifier: Apache-2.0

import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing

@Suite("A running pg_dump", .onEachPostgres)
struct ToolProcessTests {
    let server: TemporaryPostgres
    let tools: PostgresTools
    let folder: TemporaryFolder
    let source: ConnectionSettings

    init() throws {
        server = try TemporaryPostgres.shared
        tools = PostgresTools(binDirectory: server.binDirectory)
        folder = try TemporaryFolder("dump")
        source = try server.freshDatabase("long")
        try Connection(source).execute(
            "create table metrics as select n, repeat(md5(n::text), 20) as t from generate_series(1, 200000) n")
    }

    @Test("that is killed half way is an error, not a short backup")
    func killed() throws {
        let snapshot = try ExportedSnapshot(of: source)
        let dump = folder.path.appending("dump")
        let error = #expect(throws: PostgresError.self) {
            try tools.dump(source, snapshot: snapshot.identifier, into: dump, jobs: 1) { progress in
                guard case .table = progress else { return }
                for process in Self.processes(naming: dump) { kill(process.pid, SIGKILL) }
            }
        }
        guard case .toolFailed("pg_dump", "killed by signal 9", _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("one of whose workers is killed half way is an error")
    func workerKilled() throws {
        let snapshot = try ExportedSnapshot(of: source)
        let dump = folder.path.appending("dump")
        let error = #expect(throws: PostgresError.self) {
            try tools.dump(source, snapshot: snapshot.identifier, into: dump, jobs: 2) { progress in
                guard case .table = progress else { return }
                for process in Self.processes(naming: dump).sorted(by: { $0.pid < $1.pid }).dropFirst() {
                    kill(process.pid, SIGKILL)
                }
            }
        }
        guard case .toolFailed("pg_dump", "exit status 1", _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("ends with its workers when the task is cancelled")
    func cancelled() throws {
        let snapshot = try ExportedSnapshot(of: source)
        let dump = folder.path.appending("dump")
        let cancellation = Cancellation()
        #expect(throws: CancelledError.self) {
            try tools.dump(
                source, snapshot: snapshot.identifier, into: dump, jobs: 2, cancellation: cancellation
            ) { progress in
                if case .table = progress { cancellation.cancel() }
            }
        }
        #expect(Self.processes(naming: dump).isEmpty)
        #expect(throws: CancelledError.self) {
            try tools.dump(source, snapshot: snapshot.identifier, into: dump, jobs: 2, cancellation: cancellation)
        }
    }

    @Test("shows the password neither in its arguments nor in its environment, and leaves no password file")
    func passwordHidden() throws {
        let snapshot = try ExportedSnapshot(of: source)
        let dump = folder.path.appending("dump")
        var passwordFiles: Set<String> = []
        var seen = 0
        try tools.dump(source, snapshot: snapshot.identifier, into: dump, jobs: 2) { progress in
            for process in Self.processes(naming: dump) {
                seen += 1
                #expect(!process.arguments.contains(source.password.revealed))
                #expect(!process.environment.contains(source.password.revealed))
                for entry in process.environment.split(separator: "\0") where entry.hasPrefix("PGPASSFILE=") {
                    let file = FilePath(String(entry.dropFirst("PGPASSFILE=".count)))
                    guard passwordFiles.insert(file.string).inserted else { continue }
                    #expect((try? FileStatus.of(file).mode) == 0o600)
                    #expect((try? FileStatus.of(file.parent).mode) == 0o700)
                }
            }
        }
        #expect(seen > 0)
        #expect(passwordFiles.count == 1)
        for file in passwordFiles { #expect(try FileStatus.ifPresent(FilePath(file).parent) == nil) }
    }

    private struct Process {
        let pid: pid_t
        let arguments: String
        let environment: String
    }

    /// The pg_dump processes that write to this folder. One may end while it is looked at.
    private static func processes(naming folder: FilePath) -> [Process] {
        func read(_ pid: pid_t, _ name: String) -> String? {
            guard let bytes = try? OpenFile(FilePath("/proc/\(pid)/\(name)"), .read).readAll() else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
        let pids = ((try? Directory.names(in: "/proc")) ?? []).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
        return pids.compactMap { pid in
            guard let arguments = read(pid, "cmdline"), arguments.contains(folder.string),
                let environment = read(pid, "environ")
            else { return nil }
            return Process(pid: pid, arguments: arguments, environment: environment)
        }
    }
}
