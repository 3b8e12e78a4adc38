// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing
import Wording

@testable import ObjectStore

@Suite("A location")
struct LocationTests {
    @Test(
        "it is read from what MLflow has, and shown as it is written",
        arguments: [
            ("s3://bucket/a/b", "s3://bucket/a/b"), ("s3://bucket", "s3://bucket"),
            ("s3a://my.bucket/x/", "s3://my.bucket/x"),
            ("gs://bucket/p", "gs://bucket/p"),
            ("wasbs://c@acc.blob.core.windows.net/p", "wasbs://c@acc.blob.core.windows.net/p"),
            ("abfss://c@acc.dfs.core.windows.net/p", "wasbs://c@acc.blob.core.windows.net/p"),
            ("sftp://user@host:2222/srv/ml", "sftp://host:2222/srv/ml"), ("hdfs://name:9000/ml", "hdfs://name:9000/ml"),
            ("webdavs://u:p@h/x", "webdavs://h/x"), ("https://[::1]:8/x", "webdavs://[::1]:8/x"),
            ("rclone:my remote:a/b", "rclone:my remote:a/b"), ("s3://bucket/a//b", "s3://bucket/a//b"),
        ])
    func read(text: String, shown: String) throws {
        #expect(try RemoteLocation(text).description.replacing("'", with: "") == shown)
    }

    @Test(
        "what is none is refused, and nothing of it is shown",
        arguments: [
            "", "bucket", "/path", "s3://", "s3:///x", "s3://user:SECRET@bucket/x", "s3://b/../SECRET",
            "s3://b/x?key=SECRET",
            "dbfs:/x", "file:///SECRET", "sftp://u:SECRET@", "sftp://u:SECRET@h:port/", "sftp://u:SECRET@h/x#y",
            "rclone:x",
            "rclone::local,SECRET=x:", "rclone:a,pass=SECRET:p", "s3://b/\u{1}SECRET", "SECRET://x",
            "webdav://u:SECRET@h o/x",
            "wasbs://a@SECRET@c/x",
        ])
    func refused(text: String) throws {
        let error = try #require(failure { _ = try RemoteLocation(text) }, "\(text)")
        #expect(["store-location-invalid", "store-scheme-unsupported"].contains(error.errorCode))
        for language in [error.explanation.chinese, error.explanation.english] {
            #expect(!language.contains("SECRET") && !language.isEmpty, "\(text)")
        }
    }

    @Test("a login is kept, in any form, and never shown")
    func login() throws {
        for (text, password) in [
            ("sftp://user:p%40ss%2Fw@host/x", "p@ss/w"), ("sftp://user:p@ss@host/x", "p@ss"),
            ("sftp://user:@host/x", ""),
        ] {
            let location = try RemoteLocation(text)
            guard case .sftp(let host) = location.kind else {
                Issue.record("\(location)")
                continue
            }
            #expect(host.user == "user" && host.password?.revealed == password && host.name == "host")
            #expect(location.description == "sftp://host/x")
            #expect(!"\(location.kind)".contains("p@ss"))
        }
    }

    @Test("keys come from the variables, from a profile, or from nobody")
    func keys() throws {
        let folder = try TemporaryFolder("aws")
        let credentials = try folder.write(
            "credentials",
            "[default]\naws_access_key_id=D\naws_secret_access_key = S=\n# c\n[ work ]\naws_access_key_id = W\naws_secret_access_key=T\naws_session_token=K\n"
        )
        let config = try folder.write(
            "config",
            "[default]\nregion = eu-west-1\n[profile work]\nregion=cn-north-1\ns3 =\n  endpoint_url = no\n[profile sso]\nsso_session = x\n"
        )
        let files = ["AWS_SHARED_CREDENTIALS_FILE": credentials.string, "AWS_CONFIG_FILE": config.string]
        func settings(_ more: [String: String]) throws -> S3Settings? {
            try S3Settings(RemoteLocation("s3://bucket/p"), StoreVariables(files.merging(more) { _, new in new }))
        }
        let plain = try #require(try settings([:]))
        #expect(plain.keys == S3Keys(id: "D", secret: Secret("S=")) && plain.region == "eu-west-1")
        #expect(plain.url([0x61], region: plain.region) == "https://bucket.s3.eu-west-1.amazonaws.com/a")
        let work = try #require(
            try settings(["AWS_PROFILE": "work"]))
        #expect(work.keys == S3Keys(id: "W", secret: Secret("T"), token: Secret("K")) && work.endpoint == nil)
        #expect(work.url(nil, region: work.region) == "https://bucket.s3.cn-north-1.amazonaws.com.cn/")
        let own = try #require(
            try settings(["AWS_ACCESS_KEY_ID": "X", "AWS_SECRET_ACCESS_KEY": "Y", "AWS_SESSION_TOKEN": ""]))
        #expect(own.keys == S3Keys(id: "X", secret: Secret("Y")) && own.region == "eu-west-1")
        let both = try settings(["AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "X", "AWS_SECRET_ACCESS_KEY": "Y"])
        #expect(both?.keys.id == "X" && both?.region == "cn-north-1")
        #expect(try settings(["AWS_PROFILE": "sso"]) == nil)
        #expect(failure { _ = try settings(["AWS_PROFILE": "none"]) }?.errorCode == "store-credentials-unusable")
        for broken in [
            "AWS_ACCESS_KEY_ID": "a\nb", "AWS_DEFAULT_REGION": "a/b", "MLFLOW_S3_ENDPOINT_URL": "u:SECRET@h",
            "MLFLOW_S3_UPLOAD_EXTRA_ARGS": "[SECRET", "AWS_CA_BUNDLE": "/nowhere",
        ] {
            let error = failure { _ = try settings(["AWS_SECRET_ACCESS_KEY": "Y", broken.key: broken.value]) }
            if broken.key == "AWS_ACCESS_KEY_ID" || broken.key.hasPrefix("AWS_") || broken.key.hasPrefix("MLFLOW") {
                #expect(error?.errorCode == "store-credentials-unusable", "\(broken.key)")
            }
            #expect(error?.explanation.english.contains("SECRET") != true)
        }
        let sealed = try #require(
            try settings([
                "MLFLOW_S3_UPLOAD_EXTRA_ARGS": #"{"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k", "ACL": "x"}"#
            ]))
        #expect(
            sealed.encryption == [
                "x-amz-server-side-encryption: aws:kms", "x-amz-server-side-encryption-aws-kms-key-id: k",
            ])
    }

    @Test("times are read as S3, HTTP and rclone write them, to the unit that they count in")
    func times() throws {
        let millisecond = try #require(TimeText.internet("2026-11-28T16:33:58.014Z"))
        #expect(millisecond.nanoseconds == 1_795_883_638_014_000_000 && millisecond.granularity == 1_000_000)
        let second = try #require(TimeText.internet("2026-11-28T16:33:58.000Z"))
        #expect(second.granularity == 1_000_000_000)
        #expect(TimeText.http("Sat, 28 Nov 2026 16:33:58 GMT") == second)
        #expect(TimeText.internet("2026-11-29T00:33:58+08:00") == second)
        #expect(millisecond.mayBe(second))
        #expect(TimeText.internet("1970-01-01T00:00:00.000000001Z")?.nanoseconds == 1)
        for text in [
            "", "2026-11-28", "2026-13-28T16:33:58Z", "2026-11-28T16:33:58", "99999999999999999999Z",
            "2026-11-28T16:33:58.Zx",
        ] {
            #expect(TimeText.internet(text) == nil, "\(text)")
        }
        #expect(TimeText.http("yesterday") == nil)
    }

    @Test(
        "an answer that is no listing is refused, whatever it is",
        arguments: [
            "", "<", "<html><body>hello</body></html>", "<ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><ListBucketResult>&a;</ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key><Size>99999999999999999999999</Size></Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>&#xffffffffff;</Key><Size>1</Size></Contents></ListBucketResult>", "{}",
        ])
    func noListing(text: String) {
        #expect(throws: ListingPage.Unusable.self) { try ListingPage(Array(text.utf8)) }
    }

    @Test("a page is read with prefixes, references, CDATA and keys as they are where the store did not encode them")
    func page() throws {
        let text = """
            <?xml version="1.0"?><!-- x --><s3:ListBucketResult xmlns:s3="x"><s3:Prefix/><s3:Contents><s3:Key>a&amp;&#x1F600;+%41<![CDATA[<]]></s3:Key>
            <s3:ETag>&quot;abc-2&quot;</s3:ETag><s3:Size>7</s3:Size><s3:Owner><s3:Key>no</s3:Key></s3:Owner></s3:Contents></s3:ListBucketResult>
            """
        let page = try ListingPage(Array(text.utf8))
        #expect(page.objects == [ListedObject(key: "a&😀+%41<", stamps: ObjectStamps(size: 7, tag: "abc-2"))])
        #expect(page.continuation == nil)
    }
}
