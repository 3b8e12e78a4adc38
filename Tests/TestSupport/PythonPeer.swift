// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO

/// The Python that has aiosmtpd: `scripts/test` names it.
package struct TestPython {
    package let path: FilePath

    /// - Throws: `NoTestPython`.
    package init() throws {
        let variable = ProcessInfo.processInfo.environment["MLFLOW_TEST_PYTHON"] ?? ""
        if variable.isEmpty { throw NoTestPython() }
        path = FilePath(variable)
    }
}

/// Tests cannot be run by hand without it.
package struct NoTestPython: Error, CustomStringConvertible {
    package var description: String {
        "MLFLOW_TEST_PYTHON must name a Python with aiosmtpd (python/test-requirements.lock); scripts/test sets it"
    }
}

/// One of this folder's Python programs, running until `stop` on a port of its own choice.
package final class PythonPeer: Sendable {
    package let folder: TemporaryFolder
    package let port: Int
    private let cancellation = Cancellation()
    private let thread: WorkerThread

    /// - Parameter python: that of `TestPython` by default.
    package init(_ script: String, _ arguments: [String] = [], python: FilePath? = nil) throws {
        let folder = try TemporaryFolder("peer")
        self.folder = folder
        let program = FilePath(String(#filePath)).parent.appending(script)
        let child = ChildProcess(
            try python ?? TestPython().path, [program.string, folder.path.string] + arguments,
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
            if let reason { throw PeerEnded(script: script, reason: reason) }
        }
        let text = try String(decoding: OpenFile(portFile, .read).readAll(), as: UTF8.self)
        guard let number = Int(text) else { throw PeerEnded(script: script, reason: "port \(text)") }
        port = number
    }

    /// Lines that it has written to a log of its own.
    package func log() throws -> [[UInt8]] {
        let file = folder.path.appending("log.jsonl")
        guard try FileStatus.ifPresent(file) != nil else { return [] }
        return try OpenFile(file, .read).readAll().split(separator: UInt8(ascii: "\n")).map(Array.init)
    }

    package func stop() {
        cancellation.cancel()
        thread.join()
    }

    deinit { stop() }
}

private struct PeerEnded: Error {
    let script: String
    let reason: String
}
