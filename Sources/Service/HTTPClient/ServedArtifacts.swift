// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Wording

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
    /// - Throws: `Unlisted` where it serves some and fails to list them, as for a name that it cannot say.
    static func names(of url: String) throws(Unlisted) -> [String]? {
        let route = url + "/api/2.0/mlflow-artifacts/artifacts"
        guard let answer = try? WebClient(bodyLimit: 16 << 20).get(route, timeoutSeconds: 20) else { return nil }
        if answer.status == 500 { throw Unlisted() }
        guard answer.status == 200, let list = try? JSONDecoder().decode(Answer.self, from: Data(answer.body)) else {
            return nil
        }
        return (list.files ?? []).map(\.path)
    }

    struct Unlisted: ExplainedError {
        var explanation: BilingualText {
            BilingualText(
                zh: "MLflow 服务器无法列出它的 artifacts（HTTP 500），例如其中有悬空的链接或无法表示的名称；原因见 MLflow 的日志。",
                en:
                    "The MLflow server fails to list its artifacts (HTTP 500), as for a dangling link or a name that it cannot say among them; its "
                    + "log says why.")
        }
    }
}
