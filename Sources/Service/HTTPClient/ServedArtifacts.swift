// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What an MLflow server that hands artifacts out (`--serve-artifacts`) has directly below its `--artifacts-destination`.
enum ServedArtifacts {
    private struct Answer: Decodable {
        struct File: Decodable {
            let path: String
        }
        let files: [File]?
    }

    /// `GET /api/2.0/mlflow-artifacts/artifacts` (mlflow/server/handlers.py, `_list_artifacts_mlflow_artifacts`).
    /// - Returns: `nil` where the server serves none, asks who one is, or does not answer.
    static func names(of url: String) -> [String]? {
        let route = url + "/api/2.0/mlflow-artifacts/artifacts"
        guard let answer = try? WebClient(bodyLimit: 16 << 20).get(route, timeoutSeconds: 20), answer.status == 200,
            let list = try? JSONDecoder().decode(Answer.self, from: Data(answer.body))
        else { return nil }
        return (list.files ?? []).map(\.path)
    }
}
