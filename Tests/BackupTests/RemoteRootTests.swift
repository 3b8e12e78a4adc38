// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import ObjectStore
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("A bucket of artifacts is backed up beside the folders", .besideThePool)
struct RemoteRootTests {
    private static let some: [String: [UInt8]] = [
        "1/a/artifacts/model.bin": Array("weights".utf8), "1/a/artifacts/empty": [], "1/a-b": [1, 2, 3],
        "1/a.txt": [4], "2/größe/ü": Array("ü".utf8), "10/x y+z%20": [7],
    ]

    @Test(
        "a backup holds each object under its key, tar unpacks them, and nothing is fetched again where nothing changed",
        arguments: [ObjectServer.Kind.moto, .rcloneS3], [BackupName.Kind.compressed, .uncompressed])
    func backup(server: ObjectServer.Kind, kind: BackupName.Kind) throws {
        let remote = try RemoteRoots("remote_backup", server, throughProxy: true)
        let large = noise(9 << 20)
        let objects = Self.some.merging(["3/large.bin": large, ".mlflow-backup-restore/work-1/new/x": [9]]) { one, _ in
            one
        }
        try remote.put(objects)
        let made = try remote.backup(kind)
        #expect(made.warnings.isEmpty, "\(made.warnings.map(\.english))")
        #expect(made.manifest.format == 3)
        let root = try #require(made.root())
        #expect(root.store == .init(kind: "s3", location: "s3://bucket/ml", strangeKeys: 0))
        #expect(root.artifacts.files == Self.some.count + 1)
        #expect(try remote.unpacked(made) == Self.some.merging(["3/large.bin": large]) { one, _ in one })
        _ = try VerifyJob(remote.workspace()).run(made.name.string)
        #expect(try remote.live.item(made.name).status == .completed)

        let before = try #require(try remote.proxy?.reads())
        #expect(before >= Self.some.count)
        // Stamps of files of the last two seconds prove nothing.
        sleep(3)
        _ = try remote.backup(kind)
        let again = try remote.backup(kind)
        #expect(try remote.proxy?.reads() == before)
        if kind == .compressed { #expect(again.unchanged != nil) }
        #expect(try remote.unpacked(again) == remote.unpacked(made))
        _ = try VerifyJob(remote.workspace()).run(again.name.string)
        #expect(try remote.live.item(again.name).status == .completed)
    }

    @Test(
        "of objects that changed only these are fetched, wherever among the others they are",
        arguments: [BackupName.Kind.compressed, .uncompressed])
    func changed(kind: BackupName.Kind) throws {
        let remote = try RemoteRoots("remote_changed", throughProxy: true)
        var objects: [String: [UInt8]] = [:]
        for number in 100..<500 { objects["7/run/\(number)"] = noise(20_000) }
        try remote.put(objects)
        var made = try remote.backup(kind)
        // New, changed and gone: in the middle of packs, at both ends, all in turn.
        let changes: [([String: [UInt8]], [String])] = [
            (["7/run/250a": [1]], []), (["7/run/301": [2]], ["7/run/302"]),
            (["1/first": [3], "9/last": [4]], ["7/run/100", "7/run/499"]),
            (["7/run/101": [5], "7/run/103": [6], "7/run/400-x": [7]], ["7/run/102", "7/run/401"]),
        ]
        for (written, deleted) in changes {
            let before = try #require(try remote.proxy?.reads())
            try remote.put(written)
            for key in deleted { try remote.delete(key) }
            objects.merge(written) { _, new in new }
            for key in deleted { objects[key] = nil }
            made = try remote.backup(kind)
            let read = try #require(try remote.proxy?.requests().filter { $0.hasPrefix("GET ") && !$0.contains("?") })
            #expect(
                read.count == before + written.count, "\(written.keys.sorted()) \(deleted): \(read.dropFirst(before))")
            #expect(try remote.unpacked(made) == objects)
        }
        _ = try VerifyJob(remote.workspace()).run(made.name.string)
        #expect(try remote.live.item(made.name).status == .completed)
    }

    @Test(
        "keys that are no paths are in a folder of their own, with the key in the tar header and in the index",
        arguments: [BackupName.Kind.compressed, .uncompressed])
    func strangeKeys(kind: BackupName.Kind) throws {
        let remote = try RemoteRoots("remote_keys", throughProxy: true)
        let long = String(repeating: "n", count: 300)
        let deep = (0..<100).map { "folder-\($0)" }.joined(separator: "/")
        let strange: [String: [UInt8]] = [
            "a//b": [1], "../up": [2], "x/../y": [3], "mark/": [], "/lead": [4], "o/b": Array("below".utf8),
            "o/b/c": [5], "long/\(long)": [6], "dot/./x": [7], deep + "/" + String(repeating: "z", count: 20): [8],
        ]
        let plain: [String: [UInt8]] = ["o": Array("object".utf8), "o-1": [1], "o.2": [2], "ok/x": [3]]
        try remote.put(strange)
        try remote.put(plain)
        let made = try remote.backup(kind)
        let isLong = { (key: String) in key.utf8.count > 1024 }
        let root = try #require(made.root())
        #expect(root.artifacts.files == strange.count + plain.count)
        var expected = plain
        for (key, content) in strange where key.hasPrefix(deep) && !isLong(key) { expected[key] = content }
        #expect(try remote.unpacked(made) == expected)
        let hidden = try remote.unpacked(made, "keys-media")
        #expect(hidden.count == root.store?.strangeKeys && hidden.count + expected.count == root.artifacts.files)
        let records = try BackupContents(remote.live.item(made.name)).records()
        var found: [String: [UInt8]] = [:]
        while let record = try records.next() {
            guard let key = record.entry.object?.key else { continue }
            found[String(decoding: key, as: UTF8.self)] =
                hidden[record.entry.path.components.last.map { String(decoding: $0, as: UTF8.self) } ?? ""]
        }
        #expect(found == strange.filter { expected[$0.key] == nil })
        if kind == .compressed {
            let headers = try Shell.sh("gzip -dc '\(made.path)' | grep -a -o 'MLFLOW.key=[^\\n]*' | sort")
            #expect(headers.contains("MLFLOW.key=a//b\n") && headers.contains("MLFLOW.key=../up\n"))
        }
        _ = try VerifyJob(remote.workspace()).run(made.name.string)
        #expect(try remote.live.item(made.name).status == .completed)
        let before = try #require(try remote.proxy?.reads())
        try remote.put(["a//c": [9]])
        let again = try remote.backup(kind)
        #expect(try remote.proxy?.reads() == before + 1)
        #expect(again.root()?.store?.strangeKeys == (root.store?.strangeKeys ?? 0) + 1)
        _ = try VerifyJob(remote.workspace()).run(again.name.string)
        #expect(try remote.live.item(again.name).status == .completed)
    }

    @Test("servers without buckets are backed up through rclone", arguments: [ObjectServer.Kind.webDAV, .sftp])
    func rclone(server: ObjectServer.Kind) throws {
        let remote = try RemoteRoots("remote_rclone", server)
        for (key, content) in Self.some {
            let file = remote.server.files.appending("ml/" + key)
            try Directory.make(file.parent)
            try OpenFile(file, .createNew(mode: 0o644)).write(content)
        }
        let made = try remote.backup()
        #expect(made.warnings.isEmpty, "\(made.warnings.map(\.english))")
        #expect(try remote.unpacked(made) == Self.some)
        let store = try #require(made.root()?.store)
        #expect(!store.location.contains("tester") && store.location.hasPrefix("\(store.kind)://127.0.0.1:"))
        let text = try String(decoding: made.manifest.encoded(), as: UTF8.self)
        #expect(!text.contains("pass") || !text.contains(ObjectServer.password))
    }

    @Test("503, or no answer, for every other request are nothing but slower", arguments: ["busy", "slam"])
    func everyOther(mode: String) throws {
        let remote = try RemoteRoots("remote_busy", throughProxy: true)
        try remote.put(Self.some)
        try remote.proxy?.go(mode)
        #expect(try remote.unpacked(remote.backup()) == Self.some)
    }

    @Test("a root that cannot be listed or read fails the backup, and says why")
    func failing() throws {
        let remote = try RemoteRoots("remote_failing", throughProxy: true)
        try remote.put(Self.some)
        let brief = RemoteRoots.impatience
        let cases: [(String, RemoteRoot)] = [
            ("store-bucket-missing", try remote.root("s3://nobody-has-this/ml", patience: brief)),
            ("store-keys-wrong", try remote.root(patience: brief) { $0["AWS_SECRET_ACCESS_KEY"] = "wrong" }),
            (
                "store-unreachable",
                try remote.root(patience: brief) { $0["MLFLOW_S3_ENDPOINT_URL"] = "http://127.0.0.1:1" }
            ),
            (
                "rclone-missing",
                try #require(
                    RemoteRoot(
                        name: "media", location: try RemoteLocation("sftp://127.0.0.1/x"),
                        variables: StoreVariables([:]),
                        rclone: "/nowhere/rclone", patience: brief))
            ),
        ]
        for (code, root) in cases {
            let error = #expect(throws: (any Error).self) { try remote.backup(.compressed, remote.stack([root])) }
            #expect((error as? any CodedError)?.errorCode == code, "\(String(describing: error))")
        }
        for mode in ["down", "hang"] {
            try remote.proxy?.go(mode)
            let root = try remote.root(patience: brief)
            let error = #expect(throws: (any Error).self) { try remote.backup(.compressed, remote.stack([root])) }
            let code = (error as? any CodedError)?.errorCode
            #expect(code == "store-throttled" || code == "store-stalled", "\(mode): \(code ?? "")")
        }
        #expect(try remote.live.names().isEmpty)
        #expect(try Directory.names(in: remote.live.folder.staging).isEmpty)
    }

    @Test("objects deleted or replaced behind the walk's back are a deletion, and a change that is named")
    func meanwhile() throws {
        let remote = try RemoteRoots("remote_meanwhile")
        let (old, new) = (noise(9 << 20), noise(10 << 20))
        // Large ones are fetched in their turn, which comes after the others.
        try remote.put(["a": noise(17 << 20), "m": old, "z": old])
        let isDone = Monitor(false)
        let made = try remote.backup(progress: { step in
            guard step.phase == .archiving, step.detail.hasSuffix("MiB"),
                isDone.withLock({ done in
                    defer { done = true }
                    return !done
                })
            else { return }
            do {
                try remote.delete("m")
                try remote.put(["z": new])
            } catch { Issue.record(error) }
        })
        #expect(isDone.read { $0 })
        #expect(made.manifest.skipped == [.init(path: "artifacts-media/m", reason: SkipReason.vanished.rawValue)])
        #expect(made.manifest.changedWhileRead == ["artifacts-media/z"])
        let found = try remote.unpacked(made)
        #expect(found["m"] == nil && found["z"] == new && found.count == 2)
        #expect(made.warnings.count == 2, "\(made.warnings.map(\.english))")
        #expect(try remote.backup().manifest.changedWhileRead.isEmpty)
    }

    @Test("a bucket that got smaller makes a backup suspicious")
    func smaller() throws {
        let remote = try RemoteRoots("remote_smaller")
        try remote.put(Self.some)
        try remote.backup()
        for key in Self.some.keys.sorted().dropFirst() { try remote.delete(key) }
        #expect(try remote.backup().suspicious?.english.contains("media") == true)
    }

    @Test("roots of which one lies in another are refused")
    func nested() throws {
        let remote = try RemoteRoots("remote_nested")
        let roots = [try remote.root("s3://bucket/ml"), try remote.root("s3://bucket/ml/inner", name: "inner")]
        let refused = #expect(throws: BackupError.self) { try remote.backup(.compressed, remote.stack(roots)) }
        #expect(refused?.errorCode == "artifact-roots-overlap")
        let beside = [try remote.root("s3://bucket/ml"), try remote.root("s3://bucket/ml-2", name: "beside")]
        try remote.put(Self.some)
        #expect(try remote.backup(.compressed, remote.stack(beside)).manifest.roots?.count == 2)
    }

    @Test("local and remote roots are in a backup in the order of their names, and are taken over")
    func mixed() throws {
        let remote = try RemoteRoots("remote_mixed", throughProxy: true)
        try remote.put(Self.some)
        let folders = try ["alpha", "nu"].map { name in
            let path = remote.live.root.path.appending(name)
            try Directory.make(path)
            try DurableFile.replace(path.appending("file"), with: Array(name.utf8))
            return try #require(ArtifactFolder(name: name, path: path))
        }
        try remote.put(["k//1": [1]])
        try remote.put(["x": [2]], "s3://bucket/other")
        let stack = try remote.stack(
            [remote.root(), remote.root("s3://bucket/other", name: "zeta")], further: folders)
        let made = try remote.backup(.compressed, stack)
        #expect(made.manifest.roots?.map(\.name) == ["alpha", "media", "nu", "zeta"])
        sleep(3)
        try remote.backup(.compressed, stack)
        let before = try remote.proxy?.reads()
        #expect(try remote.backup(.compressed, stack).unchanged != nil)
        #expect(try remote.proxy?.reads() == before)
    }
}
