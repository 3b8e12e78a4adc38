// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// MLflow stopped for the swap only. A file says so before it is done: whoever comes after a crash starts it again.
package struct ServerPause: Sendable {
    private let server: TrackingServer?
    private let isWanted: Bool
    private let state: RestoreState
    private let log: Log
    /// Whether this process stopped it: it starts it again, whatever became of the marker and of the disk that it is on.
    private var isStopped = false

    package init(_ stack: LiveStack, _ folder: BackupFolder, log: Log) {
        server = stack.server
        isWanted = stack.stopsServer
        state = RestoreState(folder, artifacts: stack.artifacts)
        self.log = log
    }

    /// In the state, beside the journal.
    private static let marker = "mlflow-stopped"

    /// Whether a server that we stopped still waits to be started.
    package var isPending: Bool { (try? state.existing(Self.marker)) ?? nil != nil }

    /// A server that cannot be stopped is no reason not to restore: the swap ends its database connections itself.
    /// - Returns: what is less sure without the stop; `nil` where there is nothing to say.
    mutating func begin() throws -> BilingualText? {
        guard isWanted, let server else { return nil }
        let place = try state.place(for: Self.marker)
        try DurableFile.replace(place.path, with: Array(server.name.utf8), mode: place.mode)
        do {
            if try server.stop() {
                isStopped = true
                log.info("MLflow is stopped for the swap", ["server": server.name])
            } else {
                try clear()
            }
            return nil
        } catch {
            // The answer may have been lost on the way, and the server be stopped or stopping: it is started all the
            // same, which is harmless. Where nobody can be asked, nothing was stopped either.
            try? restart(server)
            try clear()
            let reason = error.bilingual
            log.warning("MLflow could not be stopped for the swap", ["reason": reason[.english]])
            return BilingualText(
                zh: "交换数据时未能停止 \(server.name)（\(reason.chinese)）：当时正在上传的文件可能需要重新上传",
                en: "\(server.name) could not be stopped for the swap (\(reason.english)): "
                    + "a file that was being uploaded at that moment may have to be uploaded again")
        }
    }

    /// Starts the server again if we stopped it. Safe to repeat.
    /// - Returns: why it is not back; the marker stays then, and the next try is the service's.
    @discardableResult
    func end() -> BilingualText? { end { try $0.start() } }

    /// As `end`, for a stop that another process began, perhaps just before it was killed.
    @discardableResult
    package func endAfterCrash() -> BilingualText? { end(restart) }

    /// While a stop is under way, a start does nothing (HTTP 304): the server would stop after it and stay down. A
    /// second stop waits for the first.
    private func restart(_ server: TrackingServer) throws {
        _ = try server.stop()
        try server.start()
    }

    private func end(_ start: (TrackingServer) throws -> Void) -> BilingualText? {
        guard isStopped || isPending else { return nil }
        do {
            guard let server else { throw ServerNotReachable() }
            try start(server)
            log.info("MLflow is started again", ["server": server.name])
            do { try clear() } catch {
                // Whoever finds it starts a server that runs once more, which is harmless.
                log.warning("the marker of the stop is still there", ["reason": error.bilingual[.english]])
            }
            return nil
        } catch {
            let reason = error.bilingual
            log.error("MLflow was stopped for a restore and is not back", ["reason": reason[.english]])
            let name = stoppedServer
            return BilingualText(
                zh: "MLflow 为恢复而停止，尚未重新启动（\(reason.chinese)）。请运行 docker start \(name.shellWord)",
                en:
                    "MLflow was stopped for the restore and is not back (\(reason.english)). Run `docker start \(name.shellWord)`"
            )
        }
    }

    /// Whoever stopped it wrote down what it is called.
    private var stoppedServer: String {
        let noted = (try? state.existing(Self.marker)).flatMap({ try? OpenFile($0, .readNoFollow).readAll(limit: 256) })
            .map {
                String(decoding: $0, as: UTF8.self)
            }
        return noted.flatMap { $0.isEmpty ? nil : $0 } ?? server?.name ?? "mlflow-server"
    }

    private func clear() throws { try state.remove(Self.marker) }
}

private struct ServerNotReachable: ExplainedError {
    var explanation: BilingualText {
        BilingualText(zh: "未设置 MLFLOW_CONTAINER", en: "MLFLOW_CONTAINER is not set")
    }
}
