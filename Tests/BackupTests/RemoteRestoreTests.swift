// SPDX-License-Identifier: Apache-2.0

import Archive
import ObjectStore
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Objects of a store come back with a restore", .besideThePool)
struct RemoteRestoreTests {
    static let some: [String: [UInt8]] = [
        "1/a/artifacts/model.bin": Array("weights".utf8), "1/a/artifacts/empty": [], "1/a-b": [1, 2, 3], "o": [4],
        "o/below": [5], "k//x": [6], "2/größe": [7],
    ]

    @Test(
        "what is missing is uploaded, byte by byte, with keys that are no paths",
        arguments: [BackupName.Kind.compressed, .uncompressed])
    func missing(kind: BackupName.Kind) throws {
        let remote = try RemoteRoots("restore_missing", throughProxy: true)
        let large = noise(19 << 20)
        let objects = Self.some.merging(["3/large": large]) { one, _ in one }
        try remote.put(objects)
        let made = try remote.backup(kind)
        let before = try remote.live.rows()
        try Connection(remote.live.database).execute("delete from metrics")
        for key in ["1/a/artifacts/model.bin", "1/a/artifacts/empty", "k//x", "o/below", "3/large"] {
            try remote.delete(key)
        }
        let reads = try remote.proxy?.reads()
        let restored = try remote.restore(made.name.string)
        #expect(restored.warnings.isEmpty, "\(restored.warnings.map(\.english))")
        #expect(try remote.all() == objects)
        #expect(try remote.live.rows() == before)
        #expect(try remote.proxy?.reads() == reads, "nothing is read that its stamps tell")
        // Into an empty bucket, too; another place is said.
        let elsewhere = try remote.root("s3://bucket/new")
        let moved = try remote.restore(made.name.string, .artifacts, stack: remote.stack([elsewhere]))
        #expect(moved.warnings.map(\.english).contains { $0.contains("still refers to s3://bucket/ml") })
        #expect(try remote.all("s3://bucket/new") == objects)
    }

    @Test("an object that differs, or came later, refuses a restore by its name, and nothing is touched")
    func refused() throws {
        let remote = try RemoteRoots("restore_refused")
        try remote.put(Self.some)
        let made = try remote.backup()
        let changes: [(String, [String: [UInt8]])] = [("1/a-b", ["1/a-b": [9, 9, 9]]), ("9/new", ["9/new": [1]])]
        for (key, change) in changes {
            try remote.put(Self.some)
            try remote.put(change)
            try remote.delete("o")
            let before = try (remote.all(), remote.live.rows())
            let refused = #expect(throws: BackupError.self) { try remote.restore(made.name.string) }
            #expect(refused?.errorCode == "newer-data")
            let text = refused?.explanation.english ?? ""
            #expect(text.contains("[media]") && text.contains(key), "\(text)")
            #expect(try remote.all() == before.0 && remote.live.rows() == before.1)
            try remote.live.expectNothingLeftBehind()
            try remote.delete("9/new")
        }
    }

    @Test(
        "an object that was written anew with the same bytes is the same, whatever its stamps",
        arguments: [ObjectServer.Kind.sftp, .webDAV])
    func sameBytes(server: ObjectServer.Kind) throws {
        let remote = try RemoteRoots("restore_same", server)
        func write(_ content: String) throws {
            try Shell.sh(
                "mkdir -p '\(remote.server.files)/ml' && cd '\(remote.server.files)/ml' && printf '\(content)' > a && printf two > b"
            )
        }
        try write("one")
        let made = try remote.backup()
        try Shell.sh("cd '\(remote.server.files)/ml' && touch -d 2020-01-01 a && rm b")
        let restored = try remote.restore(made.name.string)
        #expect(restored.warnings.isEmpty, "\(restored.warnings.map(\.english))")
        #expect(try Shell.sh("cd '\(remote.server.files)/ml' && cat a b") == "onetwo")
        try write("ONE")
        #expect(throws: BackupError.self) { try remote.restore(made.name.string) }
    }

    @Test("a store that fails while objects are uploaded leaves the live stack as it was")
    func failing() throws {
        let remote = try RemoteRoots("restore_failing", throughProxy: true)
        try remote.put(Self.some)
        let made = try remote.backup()
        try remote.delete("o")
        try Connection(remote.live.database).execute("delete from metrics")
        let before = try (remote.live.rows(), remote.live.files())
        let stack = try remote.stack([remote.root(patience: RemoteRoots.impatience)])
        let isDown = Monitor(false)
        let error = #expect(throws: (any Error).self) {
            try remote.restore(made.name.string, stack: stack) { step in
                // After it was listed.
                guard step.phase == .loading else { return }
                do { try remote.proxy?.go("down") } catch { Issue.record(error) }
                isDown.withLock { $0 = true }
            }
        }
        #expect(isDown.read { $0 })
        #expect((error as? any CodedError)?.errorCode == "store-throttled", "\(String(describing: error))")
        #expect(try remote.live.rows() == before.0 && remote.live.files() == before.1)
        try remote.live.expectNothingLeftBehind()
        try remote.proxy?.go("pass")
        try remote.restore(made.name.string)
        #expect(try remote.all() == Self.some)
    }
}

extension RemoteRoots {
    @discardableResult
    func restore(
        _ name: String, _ mode: RestoreMode = .full, force: Bool = false, stack: LiveStack? = nil,
        progress: @escaping ProgressSink = { _ in }
    ) throws -> RestoreOutcome {
        var options = RestoreJob.Options(mode: mode, force: force)
        options.bringsObjects = true
        return try RestoreJob(workspace(stack, progress: progress), options: options).run(name)
    }

    /// Every object, but those of ours.
    func all(_ uri: String? = nil) throws -> [String: [UInt8]] {
        let store = try store(uri)
        let (listing, connection) = (try store.list(), try store.connect())
        var found: [String: [UInt8]] = [:]
        while let object = try listing.next() {
            if RemoteRoot.isOurs(object.key) { continue }
            found[object.key.description] = try connection.read(object.key, limit: 64 << 20).content
        }
        return found
    }
}
