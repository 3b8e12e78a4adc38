// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A folder of one test, removed with it.
final class Scratch: Sendable {
    let path: FilePath

    init() throws {
        let made = FilePath("/tmp/mlflow-system-test-\(getpid())-\(UInt64.random(in: 0 ... .max))")
        try Directory.make(made, mode: 0o700)
        path = made
    }

    deinit { _ = try? ChildProcess("/bin/rm", ["-rf", path.string]).run() }

    @discardableResult
    func file(_ name: String, _ text: String = "") throws -> FilePath {
        let made = path.appending(name)
        try OpenFile(made, .createNew(mode: 0o644)).write(Array(text.utf8))
        return made
    }

    func text(_ name: String) throws -> String {
        String(decoding: try OpenFile(path.appending(name), .read).readAll(), as: UTF8.self)
    }

    var names: [String] {
        get throws { try Directory.names(in: path).map { String(decoding: $0, as: UTF8.self) } }
    }
}

/// Runs a line of shell, with `path` as `$1`.
func shell(_ script: String, _ path: FilePath = "/") throws -> ChildProcess.Outcome {
    try ChildProcess("/bin/sh", ["-c", script, "test", path.string], environment: ["PATH": "/usr/bin:/bin:/usr/sbin"])
        .run()
}
