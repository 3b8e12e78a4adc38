// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import SystemIO
import TestSupport
import Testing

@testable import ObjectStore

/// A store of any kind through rclone, as MLflow's variables and its URI describe it.
private struct ByRclone {
    let store: RcloneStore
    let daemon: RcloneDaemon
    private let folder: TemporaryFolder

    init(_ uri: String, _ environment: [String: String] = [:], patience: RequestPatience = .short) throws {
        let location = try RemoteLocation(uri)
        folder = try TemporaryFolder("rclone")
        daemon = try RcloneDaemon(
            RcloneConfiguration(location, StoreVariables(environment)), program: ObjectServer.rclone(),
            in: folder.path, patience: patience)
        store = RcloneStore(daemon, place: location.description, patience: patience)
    }

    /// The process that listens.
    func processID() throws -> Int32 {
        struct Answer: Decodable { let pid: Int32 }
        let body = try store.connection(store.cancellation).call("core/pid", [:])
        return try JSONDecoder().decode(Answer.self, from: Data(body)).pid
    }
}

extension ObjectServer {
    fileprivate func uri(_ path: String = "") -> String {
        let login = "\(Self.user):" + PercentEncoding.encode(Self.password.utf8)
        return "\(kind == .sftp ? "sftp" : "webdav")://\(login)@127.0.0.1:\(port)/\(path)"
    }
}

@Suite("A store through rclone", .besideThePool)
struct RcloneStoreTests {
    @Test(
        "objects are listed in order, written, read, copied and deleted", arguments: [ObjectServer.Kind.webDAV, .sftp])
    func objects(kind: ObjectServer.Kind) throws {
        let server = try ObjectServer(kind)
        defer { server.stop() }
        let place = try ByRclone(server.uri())
        defer { place.daemon.stop() }
        let connection = try place.store.connect()
        let keys: [ObjectKey] = ["a-b", "a.txt", "a/b/c", "a/x", "a0", "sp ace/q]%41#?", "ü/é"]
        for key in keys.reversed() { try connection.put("content of \(key)", as: key) }
        let listing = try place.store.list()
        #expect(!listing.mayLackKeys)
        let objects = try place.store.objects()
        #expect(objects.map(\.key) == keys)
        for object in objects {
            let (content, description) = try connection.read(object.key, limit: 1000)
            #expect(String(decoding: content, as: UTF8.self) == "content of \(object.key)")
            #expect(description.stamps.agree(with: object.stamps))
            #expect(description.stamps.size == UInt64(content.count))
        }
        // The same size: rclone would leave the old one alone.
        try connection.put("content OF a0", as: "a0")
        #expect(try connection.text("a0") == "content OF a0")
        try connection.copy("a0", to: "kept/x/a0")
        #expect(try connection.text("kept/x/a0") == "content OF a0")
        try connection.delete("a0")
        try connection.delete("a0")
        #expect(try connection.describe("a0") == nil)
        #expect(try connection.describe("a") == nil)
        #expect(failure { _ = try connection.text("a0") } == .gone(key: "a0"))
        #expect(failure { try connection.copy("a0", to: "b") } == .gone(key: "a0"))
        #expect(failure { try connection.put("x", as: "a//b") } == .keyNotExpressible(key: "a//b"))
        let inner = try ByRclone(server.uri("a"))
        #expect(try inner.store.keys() == ["b/c", "x"])
        inner.daemon.stop()
    }

    @Test("a file of megabytes goes and comes in pieces")
    func large() throws {
        let server = try ObjectServer(.webDAV)
        defer { server.stop() }
        let place = try ByRclone(server.uri())
        let content = noise(9 << 20)
        let folder = try TemporaryFolder("large")
        let file = try OpenFile(folder.write("file name", content), .read)
        let connection = try place.store.connect()
        try connection.put(.file(file), as: "deep/large", mark: nil)
        var (got, largest): ([UInt8], Int) = ([], 0)
        _ = try connection.read("deep/large") { _ in
        } piece: {
            got.append(contentsOf: $0)
            largest = max(largest, $0.count)
        }
        #expect(got == content)
        #expect(largest <= 256 << 10)
        place.daemon.stop()
    }

    @Test("with a role a bucket is listed by rclone, which is said to drop keys")
    func role() throws {
        let server = try ObjectServer(.rcloneS3)
        defer { server.stop() }
        let profile = try TemporaryFolder("profile")
        let keys = "aws_access_key_id = \(server.keyID)\naws_secret_access_key = \(server.secret)\n"
        // Keys that somebody has to be asked for, as for a role's; here it is a program.
        let answer =
            #"{\"Version\": 1, \"AccessKeyId\": \"\#(server.keyID)\", \"SecretAccessKey\": \"\#(server.secret)\"}"#
        let file = try profile.write(
            "config", "[profile asked]\ncredential_process = /bin/echo \"\(answer)\"\n[other]\n\(keys)")
        let environment = [
            "AWS_PROFILE": "asked", "AWS_CONFIG_FILE": file.string, "PATH": "/usr/bin:/bin", "AWS_SDK_LOAD_CONFIG": "1",
            "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:\(server.port)",
        ]
        #expect(throws: NoKeys.self) { try S3Store("s3://bucket", environment) }
        let place = try ByRclone("s3://bucket/ml", environment)
        defer { place.daemon.stop() }
        let connection = try place.store.connect()
        try connection.put("one", as: "a/b", mark: "17")
        try connection.put("two", as: "a-b", mark: nil)
        #expect(try place.store.list().mayLackKeys)
        let objects = try place.store.objects()
        #expect(objects.map(\.key) == ["a-b", "a/b"])
        #expect(objects.allSatisfy { $0.stamps.modified?.granularity == 1_000_000_000 })
        #expect(try connection.describe("a/b")?.mark == "17")
        try connection.copy("a/b", to: "kept/b")
        #expect(try connection.describe("kept/b")?.mark == "17")
        #expect(try server.s3("s3://bucket").keys() == ["ml/a-b", "ml/a/b", "ml/kept/b"])
    }

    @Test("a remote of the user's own rclone.conf serves, and the file is not written to")
    func ownConfiguration() throws {
        let server = try ObjectServer(.webDAV)
        defer { server.stop() }
        let folder = try TemporaryFolder("conf")
        try Directory.make(server.files.appending("x"))
        try OpenFile(server.files.appending("x/object"), .createNew(mode: 0o644)).write(Array("content".utf8))
        let hidden = try Shell.run(ObjectServer.rclone(), ["obscure", ObjectServer.password])
        let text = """
            [mine]
            type = webdav
            url = http://127.0.0.1:\(server.port)
            vendor = other
            user = \(ObjectServer.user)
            pass = \(hidden)
            """
        let file = try folder.write("rclone.conf", text)
        let place = try ByRclone("rclone:mine:x", ["RCLONE_CONFIG": file.string])
        defer { place.daemon.stop() }
        #expect(try place.store.keys() == ["object"])
        #expect(try place.store.connect().text("object") == "content")
        #expect(try OpenFile(file, .read).readAll() == Array(text.utf8))
        let other = try ByRclone("rclone:other:x", ["RCLONE_CONFIG": file.string])
        #expect(failure { _ = try other.store.keys() }?.errorCode == "store-credentials-unusable")
    }

    @Test("a killed rclone is started once more under the request, the second time it is an error")
    func killed() throws {
        let server = try ObjectServer(.webDAV)
        defer { server.stop() }
        let content = noise(30 << 20)
        try OpenFile(server.files.appending("object"), .createNew(mode: 0o644)).write(content)
        let place = try ByRclone(server.uri())
        let connection = try place.store.connect()
        var isKilled = false
        var got: [UInt8] = []
        let process = try place.processID()
        _ = try connection.read("object") { _ in
        } piece: {
            got.append(contentsOf: $0)
            if !isKilled { #expect(kill(process, SIGKILL) == 0) }
            isKilled = true
        }
        #expect(got == content)
        #expect(try place.processID() != process)
        #expect(try kill(place.processID(), SIGKILL) == 0)
        guard case .rcloneDied(let reason)? = failure({ _ = try place.store.keys() }) else {
            Issue.record("no error")
            return
        }
        #expect(reason.contains("signal 9"))
    }

    @Test("nothing secret is among its arguments, its files are private, and all is gone afterwards")
    func secrets() throws {
        let server = try ObjectServer(.webDAV)
        defer { server.stop() }
        let place = try ByRclone(server.uri())
        #expect(try place.store.keys() == [])
        let process = try place.processID()
        for file in ["cmdline", "environ"] {
            let text = try String(
                decoding: OpenFile(FilePath("/proc/\(process)/\(file)"), .read).readAll(), as: UTF8.self)
            #expect(!text.contains(ObjectServer.password) && !text.contains(ObjectServer.user))
        }
        let folder = place.daemon.folder
        #expect(try FileStatus.ifPresent(folder)?.mode == 0o700)
        #expect(try FileStatus.ifPresent(folder.appending("rclone.conf"))?.mode == 0o600)
        let config = try String(decoding: OpenFile(folder.appending("rclone.conf"), .read).readAll(), as: UTF8.self)
        #expect(config.contains("type = webdav") && !config.contains(ObjectServer.password))
        place.daemon.stop()
        #expect(kill(process, 0) != 0)
    }

    @Test("a wrong password, no server, no host and no folder are each told apart")
    func refusals() throws {
        let server = try ObjectServer(.webDAV)
        defer { server.stop() }
        func code(_ uri: String) throws -> String? {
            let place = try ByRclone(uri, patience: .impatient)
            defer { place.daemon.stop() }
            return failure { _ = try place.store.keys() }?.errorCode
        }
        #expect(try code("webdav://tester:wrong@127.0.0.1:\(server.port)/") == "store-keys-wrong")
        #expect(try code(server.uri("nowhere/at/all")) == "store-bucket-missing")
        #expect(try code("webdav://127.0.0.1:\(FreePort.next())/") == "store-unreachable")
        #expect(try code("webdav://nowhere.invalid/") == "store-host-unknown")
        // As long as nothing was ever heard of the store, it is not waited for long.
        var patience = RequestPatience.short
        (patience.firstContact, patience.retrying) = (0.2, 300)
        let nobody = try ByRclone("webdav://127.0.0.1:\(FreePort.next())/", patience: patience)
        defer { nobody.daemon.stop() }
        #expect(failure { _ = try nobody.store.keys() }?.errorCode == "store-unreachable")
        let ssh = try ObjectServer(.sftp)
        defer { ssh.stop() }
        #expect(try code("sftp://tester:wrong@127.0.0.1:\(ssh.port)/") == "store-keys-wrong")
    }

    @Test("without the program it is said where it was looked for")
    func missing() throws {
        let folder = try TemporaryFolder("missing")
        #expect(throws: ObjectStoreError.rcloneMissing(path: "/nowhere/rclone")) {
            try RcloneDaemon(
                RcloneConfiguration(RemoteLocation("webdav://h/"), StoreVariables([:])), program: "/nowhere/rclone",
                in: folder.path)
        }
    }
}
