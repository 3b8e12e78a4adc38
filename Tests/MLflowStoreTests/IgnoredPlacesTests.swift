// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MLflowStore

@Suite("Places that a person keeps himself")
struct IgnoredPlacesTests {
    @Test(
        "hold what is below them by whole names, however it is spelled",
        arguments: [
            ("s3://bucket/ml", "s3://bucket/ml", true), ("s3://bucket/ml", "s3://bucket/ml/1/abc/artifacts", true),
            ("s3://bucket/ml/", "s3://key:secret@bucket/ml/1", true), ("S3://bucket", "s3://bucket/x", true),
            ("s3://bucket/ml", "s3://bucket/ml-prod/1", false), ("s3://bucket", "s3://bucket2/1", false),
            ("s3://bucket/ml", "gs://bucket/ml", false), ("s3://bucket/ml/1", "s3://bucket/ml", false),
            ("/mnt/nas", "file:///mnt/nas/1", true), ("file:///mnt/a%20b", "/mnt/a b/2", true),
            ("/mnt/nas", "/mnt/nas2/1", false), ("/mnt/nas", "/mnt/nas/../other", false),
            ("mlflow-artifacts:/", "mlflow-artifacts:/1/abc", true), ("./mlruns", "mlruns/0", true),
            ("wasbs://box@account/a", "wasbs://box@account/a/b", true),
            ("wasbs://box@account/a", "wasbs://other@account/a/b", false), ("s3://b/ml", "s3://b/prod/../ml", true),
            ("s3://b/ml/x", "s3://b/ml%2Fx", true), ("s3://Bucket.host:443", "s3://bucket.host:443/a", true),
            ("mlflow-artifacts://other:5000/", "mlflow-artifacts:/1", false), ("/", "/mnt/nas", true),
        ])
    func holding(line: String, location: String, isHeld: Bool) {
        let (places, fault) = IgnoredPlaces.reading([line])
        #expect(fault == nil)
        #expect(PlaceName(location).map(places.hold) == isHeld)
    }

    @Test(
        "a word that is no address, or names another row, is no place",
        arguments: ["bucket", "runs:/abc", "models:/m/1"])
    func faults(line: String) {
        #expect(IgnoredPlaces.reading(["/mnt/nas", line]).fault == 2)
    }

    @Test("nothing is held by nothing; of what is served each name by itself, or all")
    func none() throws {
        #expect(!IgnoredPlaces.none.hold(try #require(PlaceName("s3://bucket/ml"))))
        #expect(!IgnoredPlaces.none.hold(served: "1"))
        #expect(IgnoredPlaces.reading(["mlflow-artifacts:/"]).places.hold(served: "1"))
        let one = IgnoredPlaces.reading(["mlflow-artifacts:/1"]).places
        #expect(one.hold(served: "1") && !one.hold(served: "12"))
    }
}
