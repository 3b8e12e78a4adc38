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
            ("./mlruns/0", .relative), ("dummy-source", .relative),
        ])
    func spellings(text: String, location: ArtifactLocation) {
        #expect(ArtifactLocation(text) == location)
    }

    @Test(
        "C40: a place is told by scheme, host and the beginning of its path, and nothing of it lets anybody in",
        arguments: [
            ("s3://key:secret@bucket/mlflow/1?token=abc#x", "s3://bucket/mlflow/1"), ("S3://Bucket", "s3://bucket"),
            (
                "abfss://container@account.dfs.core.windows.net/a/b",
                "abfss://container@account.dfs.core.windows.net/a/b"
            ),
            ("wasbs://c:pw@account/a", "wasbs://account/a"), ("dbfs:/databricks/x/y", "dbfs:/databricks/x/y"),
            ("https://token@host:8080/files/1", "https://host:8080/files/1"), ("https://host:443/a", "https://host/a"),
            ("file://server/share/x", "file://server/share/x"),
            ("/mnt/nas/mlruns/1", "/mnt/nas/mlruns/1"), ("/mnt/my nas", "file:///mnt/my%20nas"),
            ("s3://b/my%20dir", "s3://b/my%20dir"), ("s3://b/数据", "s3://b/数据"),
            ("mlruns/1", "./mlruns/1"), ("file:./mlruns", "./mlruns"),
            ("mlflow-artifacts://other:5000/7", "mlflow-artifacts://other:5000/7"),
        ])
    func places(text: String, place: String) throws {
        let name = try #require(PlaceName(text))
        #expect(name.text() == place)
        // What is shown can be put into the setting as it stands.
        #expect(PlaceName(place) == name)
    }

    @Test(
        "whatever else stands where no name of a folder has it is a digest",
        arguments: [
            "s3://AKIA:SEC/RET@bucket/p", "sftp:user:SEC@h/x", "user:SEC@h/x", "https://u:SEC?x@h",
            "s3://b/x%3Fsig=SEC",
            "/mnt/x?token=SEC", "_s3://u:SEC/x", "s3://bucket/\u{1B}[2JSEC", "sftp://user:p@SEC@host:SEC/in",
            "user:SEC/RET@h/x", "user:SECPW", "s3:AKIA/SEC/b", "https://u:9SEC?x@h", "sftp://user:47/SEC@h",
            "wasbs://sv=SEC&sig=RET@account/x", "s3://AKIASEC:12345/b",
        ])
    func secrets(text: String) throws {
        let name = try #require(PlaceName(text))
        #expect(!name.text().contains("SEC") && !name.text().contains("RET"), "\(name.text())")
        #expect(PlaceName(name.text())?.text() == name.text())
        #expect(!IgnoredPlaces.reading([name.text()]).places.hold(try #require(PlaceName("s3://other/x"))))
    }

    @Test("what names another row is no place of its own")
    func noPlace() {
        #expect(PlaceName("models:/m-1") == nil)
        #expect(PlaceName("") == nil)
    }
}
