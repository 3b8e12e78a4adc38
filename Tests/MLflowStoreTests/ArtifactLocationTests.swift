// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MLflowStore

@Suite("What MLflow's columns say of where artifacts are")
struct ArtifactLocationTests {
    @Test(
        "each spelling is what MLflow takes it for, with percent signs and dots resolved",
        arguments: [
            (
                "mlflow-artifacts:/1/abc/artifacts",
                ArtifactLocation.served(PathParts(path: Array("/1/abc/artifacts".utf8)))
            ),
            ("mlflow-artifacts://host:5000/1/a%20b", .served(PathParts(path: Array("/1/a b".utf8)))),
            (
                "http://host/pre/api/2.0/mlflow-artifacts/artifacts/1/abc",
                .served(PathParts(path: Array("/1/abc".utf8)))
            ),
            ("file:///mlflow/artifacts/../other/1", .local(PathParts(path: Array("/mlflow/other/1".utf8)))),
            ("file://localhost/a%2Fb", .local(PathParts(path: Array("/a/b".utf8)))),
            ("/mlflow//artifacts/./1%20", .local(PathParts(path: Array("/mlflow/artifacts/1%20".utf8)))),
            ("runs:/abc/model", .reference), ("models:/churn/1", .reference), ("", .reference),
            ("./mlruns/0", .relative("mlruns")), ("dummy-source", .relative("dummy-source")),
        ])
    func spellings(text: String, location: ArtifactLocation) {
        #expect(ArtifactLocation(text) == location)
    }

    @Test(
        "C40: a place is told by scheme, host and the beginning of its path, and nothing of it lets anybody in",
        arguments: [
            ("s3://key:secret@bucket/mlflow/1?token=abc#x", "s3://bucket/mlflow"), ("S3://bucket", "s3://bucket"),
            ("abfss://container@account.dfs.core.windows.net/a/b", "abfss://container@account.dfs.core.windows.net/a"),
            ("wasbs://c:pw@account/a", "wasbs://account/a"), ("dbfs:/databricks/x/y", "dbfs:/databricks"),
            ("https://token@host:8080/files/1", "https://host:8080/files"),
            ("file://server/share/x", "file://server/share"),
            ("/mnt/nas/mlruns/1", "/mnt/nas"), ("sftp://user:p@ss@host/in", "sftp://host/in"),
            ("C:\\mlruns", "c:/\\mlruns"),
            ("s3://bucket/\u{1B}[2J", "s3://bucket/\\u{1b}[2J"), ("mlruns/1", "./mlruns"),
        ])
    func places(text: String, place: String) {
        #expect(ArtifactLocation(text).place == place)
    }

    @Test("what MLflow serves, and what names another row, is no place of its own")
    func noPlace() {
        #expect(ArtifactLocation("mlflow-artifacts:/1").place == nil)
        #expect(ArtifactLocation("models:/m-1").place == nil)
    }
}
