// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO
import TestSupport
import Testing

/// Real runs and models, written and read by the real MLflow client.
extension TestStack {
    /// Logs the demonstration's runs with a registered model.
    func logDemo() throws {
        try Shell.run(
            try Self.python(),
            [
                Self.repository.appending("scripts/demo.py").string, "--mlflow-url", mlflowURL, "--backup-url",
                backupURL,
                "--no-backup", "--json",
            ], environment: Self.environment)
    }

    /// A digest over every experiment, run, parameter, metric history, artifact byte and registered model byte that
    /// the client can read. It loads the models, too.
    func fingerprint() throws -> String {
        try client("fingerprint.py")
    }

    /// Deletes every experiment for good: soft deletion, then `mlflow gc`, then what gc leaves of the files.
    func deleteExperimentsForGood() throws {
        let identifiers = try client("delete_experiments.py").split(separator: ",").map(String.init)
        try #require(!identifiers.isEmpty)
        let settings = try String(decoding: OpenFile(data.appending("stack.env"), .read).readAll(), as: UTF8.self)
        let address = try #require(settings.split(separator: "\n").first { $0.hasPrefix("MLFLOW_BACKEND_STORE_URI=") })
        try Shell.run(
            try Self.python().parent.appending("mlflow"),
            [
                "gc", "--backend-store-uri", String(address.drop { $0 != "=" }.dropFirst()), "--artifacts-destination",
                artifacts.string, "--experiment-ids", identifiers.joined(separator: ","),
            ], environment: Self.environment.merging(["MLFLOW_TRACKING_URI": mlflowURL]) { $1 })
        for identifier in identifiers { try Directory.removeTree(artifacts.appending(identifier)) }
    }

    private func client(_ script: String) throws -> String {
        let path = FilePath(String(#filePath)).parent.parent.appending(script)
        let output = try Shell.run(try Self.python(), [path.string, mlflowURL], environment: Self.environment)
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
