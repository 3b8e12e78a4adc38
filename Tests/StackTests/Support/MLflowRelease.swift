// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import Testing

/// A version of MLflow with an environment of its own (`python/mlflow-N.lock`), which `scripts/test` makes and names.
struct MLflowRelease: Sendable, CustomTestStringConvertible {
    /// `2.16`
    let name: String
    let python: FilePath

    /// Of before psycopg 3.
    var isOld: Bool { ["2.9", "2.16", "3.1"].contains(name) }

    var testDescription: String { "MLflow \(name)" }

    /// Oldest first. `scripts/test` names one of 2 and the newest, with `--mlflow-versions` all.
    static let here: [MLflowRelease] = {
        let named = ProcessInfo.processInfo.environment["MLFLOW_TEST_VERSIONS"] ?? ""
        return named.split(separator: " ").compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            return parts.count == 2 ? MLflowRelease(name: parts[0], python: FilePath(parts[1])) : nil
        }
    }()

    /// 2.16 and the newest: what an upgrade leads from and to.
    static func oldAndNew() throws -> (old: MLflowRelease, new: MLflowRelease) {
        let old = try #require(here.first { $0.name == "2.16" }, "MLFLOW_TEST_VERSIONS has no 2.16: run scripts/test")
        let new = try #require(here.last { $0.name.hasPrefix("3.") }, "MLFLOW_TEST_VERSIONS has no 3: run scripts/test")
        return (old, new)
    }
}
