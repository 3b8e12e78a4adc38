// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import Testing

/// A folder that is gone after the test.
final class ScratchFolder: Sendable {
    let path: FilePath

    init() throws {
        path = FilePath("/tmp/mlflow-service-test-\(UUID().uuidString)")
        try Directory.make(path, mode: 0o700)
    }

    deinit {
        do { try Directory.removeTree(path) } catch { Issue.record(error) }
    }

    func write(_ name: String, _ text: String) throws -> FilePath {
        let file = path.appending(name)
        try DurableFile.replace(file, with: Array(text.utf8))
        return file
    }
}

/// The Python that has aiosmtpd: `scripts/test` names it.
struct TestPython {
    let path: FilePath

    init() throws {
        let variable = ProcessInfo.processInfo.environment["MLFLOW_TEST_PYTHON"] ?? ""
        try #require(
            !variable.isEmpty,
            "MLFLOW_TEST_PYTHON must name a Python with aiosmtpd (python/test-requirements.lock); scripts/test sets it")
        path = FilePath(variable)
    }
}

/// One of this folder's Python programs, running until `stop` on a port of its own choice.
final class PythonPeer: Sendable {
    let folder: ScratchFolder
    let port: Int
    private let cancellation = Cancellation()
    private let thread: WorkerThread

    init(_ script: String, _ arguments: [String] = []) throws {
        let folder = try ScratchFolder()
        self.folder = folder
        let program = FilePath(String(#filePath)).parent.appending(script)
        let child = ChildProcess(
            try TestPython().path, [program.string, folder.path.string] + arguments,
            environment: ["PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"])
        let cancellation = self.cancellation
        let ended = Monitor<String?>(nil)
        thread = try WorkerThread("python peer") {
            let reason: String
            do { reason = try child.run(cancellation: cancellation).errors } catch { reason = "\(error)" }
            ended.withLock { $0 = reason }
        }
        let portFile = folder.path.appending("port")
        while try FileStatus.ifPresent(portFile) == nil {
            let reason = ended.wait(atMost: 0.05) { $0 }
            try #require(reason == nil, "\(script) ended: \(reason ?? "")")
        }
        port = try #require(Int(String(decoding: OpenFile(portFile, .read).readAll(), as: UTF8.self)))
    }

    func stop() {
        cancellation.cancel()
        thread.join()
    }

    deinit { stop() }
}
