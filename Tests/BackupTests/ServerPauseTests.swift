// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

/// MLflow that was stopped for a swap is started again, whoever has to do it.
@Suite(.besideThePool) struct ServerPauseTests {
    @Test func aServerThatAnEarlierProcessStoppedIsStartedOnce() throws {
        let scratch = try TemporaryFolder("pause")
        let folder = BackupFolder(scratch.path)
        try folder.prepare()
        try scratch.write(".mlflow-backup/mlflow-stopped", "mlflow-server")
        let starts = Monitor(0)
        let recovery = recovery(folder) { starts.withLock { $0 += 1 } }
        #expect(recovery.isNeeded)
        #expect(try recovery.run() == .nothingToDo)
        #expect(!recovery.isNeeded)
        _ = try recovery.run()
        #expect(starts.withLock { $0 } == 1)
    }

    @Test func aServerThatDoesNotStartIsTriedAgain() throws {
        let scratch = try TemporaryFolder("pause")
        let folder = BackupFolder(scratch.path)
        try folder.prepare()
        try scratch.write(".mlflow-backup/mlflow-stopped", "mlflow-server")
        let recovery = recovery(folder) { throw SystemError("start", path: "mlflow-server", code: 5) }
        _ = try recovery.run()
        #expect(recovery.isNeeded, "the marker must stay")
    }

    /// C46: whoever has to start it by hand needs the name that it has, not the usual one.
    @Test func theNameThatWasWrittenDownIsTold() throws {
        let scratch = try TemporaryFolder("pause")
        let folder = BackupFolder(scratch.path)
        try folder.prepare()
        try scratch.write(".mlflow-backup/mlflow-stopped", "ml-tracking-7")
        let stack = LiveStack(
            database: ConnectionSettings(host: "", port: 1, user: "", password: Secret(""), database: ""),
            tools: PostgresTools(binDirectory: nil), artifacts: "/nonexistent", mlflowVersion: { nil })
        let said = try #require(ServerPause(stack, folder, log: .silent).endAfterCrash())
        #expect(said.chinese.contains("docker start ml-tracking-7"))
        #expect(said.english.contains("docker start ml-tracking-7"))
    }

    /// The engine goes on with a stop whose client was killed, and answers a start meanwhile with "runs already".
    @Test func aServerThatIsStillBeingStoppedIsNotLeftDown() throws {
        let scratch = try TemporaryFolder("pause")
        let folder = BackupFolder(scratch.path)
        try folder.prepare()
        try scratch.write(".mlflow-backup/mlflow-stopped", "mlflow-server")
        enum State { case stopping, stopped, running }
        let state = Monitor(State.stopping)
        let recovery = recovery(folder) {
            state.withLock { if $0 == .stopped { $0 = .running } }
        } stop: {
            state.withLock { state in
                defer { state = .stopped }
                return state != .stopped
            }
        }
        _ = try recovery.run()
        // What was under way ends now, if it has not yet.
        #expect(state.withLock { $0 == .stopping ? .stopped : $0 } == .running)
        #expect(!recovery.isNeeded)
    }

    @Test func whoStoppedItStartsItWhateverBecameOfTheBackupFolder() throws {
        let scratch = try TemporaryFolder("pause")
        let folder = BackupFolder(scratch.path.appending("backups"))
        try folder.prepare()
        let starts = Monitor(0)
        let stack = LiveStack(
            database: ConnectionSettings(host: "", port: 1, user: "", password: Secret(""), database: ""),
            tools: PostgresTools(binDirectory: nil), artifacts: "/nonexistent", mlflowVersion: { nil },
            server: TrackingServer(name: "mlflow-server", stop: { true }, start: { starts.withLock { $0 += 1 } }),
            stopsServer: true)
        var pause = ServerPause(stack, folder, log: .silent)
        #expect(try pause.begin() == nil && pause.isPending)
        let away = scratch.path.appending("away")
        try Directory.rename(folder.path, to: away)
        #expect(pause.end() == nil && starts.withLock { $0 } == 1)
        // Once is enough where the folder stayed.
        try Directory.rename(away, to: folder.path)
        #expect(pause.isPending && ServerPause(stack, folder, log: .silent).end() == nil)
        #expect(starts.withLock { $0 } == 2 && !pause.isPending)
    }

    private func recovery(
        _ folder: BackupFolder, start: @escaping @Sendable () throws -> Void,
        stop: @escaping @Sendable () throws -> Bool = { true }
    ) -> RecoverJob {
        let stack = LiveStack(
            database: ConnectionSettings(host: "", port: 1, user: "", password: Secret(""), database: ""),
            tools: PostgresTools(binDirectory: nil), artifacts: "/nonexistent", mlflowVersion: { nil },
            server: TrackingServer(name: "mlflow-server", stop: stop, start: start))
        return RecoverJob(Workspace(stack, folder, log: .silent))
    }
}
