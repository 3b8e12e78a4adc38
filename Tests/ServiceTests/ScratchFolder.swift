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
