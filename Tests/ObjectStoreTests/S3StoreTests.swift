// SPDX-License-Identifier: Apache-2.0

import ObjectStore
import SystemIO
import TestSupport
import Testing

@Suite("A bucket", .besideThePool)
struct S3StoreTests {
    static let servers: [ObjectServer.Kind] = [.rcloneS3, .moto]

    @Test("its listing goes in the order of the keys' bytes, over several pages, with sizes, tags and times")
    func order() throws {
        let server = try ObjectServer(.rcloneS3)
        defer { server.stop() }
        // Each folder costs this server a walk a page.
        var names =
            (0..<1500).map { "run-\($0 % 5)/artifact-\($0)" } + [
                "a-b", "a.txt", "a/b/c", "a/x", "a0", "ü", "sp ace+%2F",
            ]
        for name in names {
            let file = server.files.appending(name)
            try Directory.make(file.parent)
            try OpenFile(file, .createNew(mode: 0o644)).write(Array(name.utf8))
        }
        names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let objects = try server.s3().objects()
        #expect(objects.map(\.key.description) == names)
        #expect(try server.s3("s3://bucket/a/").keys() == ["b/c", "x"])
        for object in objects {
            #expect(object.stamps.size == UInt64(object.key.bytes.count))
            #expect(object.stamps.tag?.utf8.count == 32)
            #expect(object.stamps.modified != nil)
            #expect(object.stamps.tellContent)
        }
    }

    @Test("keys that are no paths come, go and are read like others")
    func strangeKeys() throws {
        let server = try ObjectServer(.moto)
        defer { server.stop() }
        let store = try server.s3()
        let connection = try store.connect()
        let long = String(repeating: "k", count: 1024)
        let keys: [ObjectKey] = [
            "..", "../x", "./y", "a//b", "/first", "dir/", "dir", "dir/below", "q?a=b&c#d", "\u{1}", "%41",
            "plus+space ", "<&\"'>", "emoji😀", "a\\b", ObjectKey(long),
        ]
        for key in keys { try connection.put("content of \(key)", as: key) }
        #expect(try store.objects().map(\.key) == keys.sorted())
        for key in keys {
            #expect(try connection.text(key) == "content of \(key)", "\(key)")
            try connection.copy(key, to: ObjectKey("copies/" + key.description.prefix(1000)))
            try connection.delete(key)
            #expect(try connection.describe(key) == nil, "\(key)")
        }
        #expect(try store.keys().count == keys.count)
        #expect(try store.keys().allSatisfy { $0.hasPrefix("copies/") })
    }

    @Test("a bucket's part has no keys but its own, and no marker of itself")
    func prefix() throws {
        let server = try ObjectServer(.moto)
        defer { server.stop() }
        let whole = try server.s3().connect()
        for key: ObjectKey in ["ml/", "ml/a", "ml/b/", "ml", "mlflow/a", "other"] {
            try whole.put(key.bytes.last == 0x2f ? "" : "x", as: key)
        }
        let part = try server.s3("s3://bucket/ml")
        #expect(try part.keys() == ["a", "b/"])
        #expect(try part.connect().text("a") == "x")
        try part.connect().delete("a")
        #expect(try server.s3().keys() == ["ml", "ml/", "ml/b/", "mlflow/a", "other"])
    }

    @Test("objects are written, described, copied with their marks, and deleted", arguments: servers)
    func objects(kind: ObjectServer.Kind) throws {
        let server = try ObjectServer(kind)
        defer { server.stop() }
        let connection = try server.s3().connect()
        #expect(try connection.describe("a/b") == nil)
        try connection.put("one", as: "a/b", mark: "17")
        let first = try #require(try connection.describe("a/b"))
        #expect(first.mark == "17")
        #expect(first.stamps.size == 3)
        try connection.copy("a/b", to: "kept/a b+c")
        try connection.put("three", as: "a/b", mark: "18")
        #expect(try connection.describe("a/b")?.mark == "18")
        let copy = try #require(try connection.describe("kept/a b+c"))
        #expect(copy.mark == "17")
        #expect(copy.stamps.agree(with: first.stamps))
        #expect(try connection.text("kept/a b+c") == "one")
        #expect(try connection.text("a/b") == "three")
        try connection.delete("a/b")
        try connection.delete("a/b")
        #expect(failure { _ = try connection.text("a/b") } == .gone(key: "a/b"))
        #expect(failure { try connection.copy("a/b", to: "c") } == .gone(key: "a/b"))
        try connection.put("", as: "empty")
        #expect(try connection.text("empty") == "")
    }

    @Test("a large file goes and is copied in parts, and comes back byte for byte", arguments: servers)
    func parts(kind: ObjectServer.Kind) throws {
        let server = try ObjectServer(kind)
        defer { server.stop() }
        let content = noise(12 << 20)
        let folder = try TemporaryFolder("parts")
        let file = try OpenFile(folder.write("file", content), .read)
        let store = try server.s3 {
            $0.partSize = 5 << 20
            // rclone's server has no UploadPartCopy.
            if kind == .moto { $0.copyLimit = 5 << 20 }
        }
        let connection = try store.connect()
        try connection.put(.file(file), as: "large", mark: "3")
        #expect(try connection.read("large", limit: 13 << 20).content == content)
        #expect(try connection.describe("large")?.mark == "3")
        try connection.copy("large", to: "copy")
        let copy = try connection.read("copy", limit: 13 << 20)
        #expect(copy.content == content)
        #expect(copy.description.mark == "3")
        #expect(throws: ObjectStoreError.tooLarge(key: "copy", limit: 100)) { try connection.read("copy", limit: 100) }
    }

    @Test("wrong keys, no bucket, no host and no server are each told apart, at once", arguments: servers)
    func refusals(kind: ObjectServer.Kind) throws {
        let server = try ObjectServer(kind)
        defer { server.stop() }
        func code(_ change: [String: String], _ uri: String = "s3://bucket") throws -> String? {
            let environment = server.environment.merging(change) { _, new in new }
            let store = try S3Store(uri, environment, patience: .impatient)
            return failure { _ = try store.keys() }?.errorCode
        }
        #expect(try code(["AWS_ACCESS_KEY_ID": "nobody"]) == "store-keys-wrong")
        #expect(try code(["AWS_SECRET_ACCESS_KEY": "wrong"]) == "store-keys-wrong")
        #expect(try code([:], "s3://elsewhere") == "store-bucket-missing")
        let nowhere = try code(["MLFLOW_S3_ENDPOINT_URL": "http://nowhere.invalid:9"])
        #expect(nowhere == "store-host-unknown")
        let nobody = try FreePort.next()
        #expect(try code(["MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:\(nobody)"]) == "store-unreachable")
        #expect(try code([:]) == nil)
    }

    @Test("a token of keys that expire is sent and signed")
    func token() throws {
        let server = try ObjectServer(.moto)
        defer { server.stop() }
        let environment = server.environment.merging(["AWS_SESSION_TOKEN": "a/token+="]) { _, new in new }
        // moto looks at tokens of roles alone, and at the signature of the header.
        let error = failure { _ = try S3Store("s3://bucket", environment).keys() }
        #expect(error == nil || error?.errorCode == "store-keys-wrong" && "\(error!)".contains("InvalidToken"))
    }

    @Test("a certificate that nobody has signed is an error, unless it is named or MLflow ignores it")
    func certificates() throws {
        let folder = try TemporaryFolder("tls")
        try Shell.sh(
            """
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
                -keyout '\(folder.path)/key' -out '\(folder.path)/certificate' 2>/dev/null
            """)
        let certificate = folder.path.appending("certificate").string
        let server = try ObjectServer(
            .rcloneS3, options: ["--cert", certificate, "--key", folder.path.appending("key").string])
        defer { server.stop() }
        var environment = server.environment
        environment["MLFLOW_S3_ENDPOINT_URL"] = "https://127.0.0.1:\(server.port)"
        let strict = try S3Store("s3://bucket", environment)
        #expect(failure { _ = try strict.keys() }?.errorCode == "store-certificate")
        environment["MLFLOW_S3_IGNORE_TLS"] = "true"
        #expect(try S3Store("s3://bucket", environment).keys() == [])
        environment["MLFLOW_S3_IGNORE_TLS"] = nil
        environment["AWS_CA_BUNDLE"] = certificate
        #expect(try S3Store("s3://bucket", environment).keys() == [])
    }
}
