// SPDX-License-Identifier: Apache-2.0

import Archive
import Foundation
import MLflowStore
import ObjectStore
import Postgres
import SystemIO
import TestSupport

@testable import Backup

/// A live stack with a bucket of artifacts beside its folder.
struct RemoteRoots {
    let live: LiveStackFixture
    let server: ObjectServer
    /// Through which requests go.
    let proxy: FaultyProxy?

    init(_ name: String, _ kind: ObjectServer.Kind = .moto, throughProxy: Bool = false) throws {
        live = try LiveStackFixture(name)
        server = try ObjectServer(kind)
        proxy = throughProxy ? try FaultyProxy(before: server) : nil
    }

    static let patience = RequestPatience(
        connecting: 20, stall: 20, retrying: 30, firstContact: 20, pause: 0.01, longestPause: 0.1)
    static let impatience = RequestPatience(
        connecting: 2, stall: 1, retrying: 1.5, firstContact: 1, pause: 0.01, longestPause: 0.1)

    var uri: String {
        switch server.kind {
        case .rcloneS3, .moto: "s3://bucket/ml"
        case .webDAV: "webdav://\(Self.login)@127.0.0.1:\(server.port)/ml"
        case .sftp: "sftp://\(Self.login)@127.0.0.1:\(server.port)/ml"
        }
    }

    private static var login: String {
        let hex = Array(ObjectServer.password.utf8).map { byte in
            let digits = String(byte, radix: 16)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }
        return "\(ObjectServer.user):\(hex.joined())"
    }

    func root(
        _ uri: String? = nil, name: String = "media", patience: RequestPatience = Self.patience,
        change: (inout [String: String]) -> Void = { _ in }
    ) throws -> RemoteRoot {
        var environment = server.environment(port: proxy?.port ?? server.port)
        environment["HOME"] = live.root.path.string
        change(&environment)
        guard
            let root = RemoteRoot(
                name: name, location: try RemoteLocation(uri ?? self.uri), variables: StoreVariables(environment),
                rclone: try ObjectServer.rclone(), patience: patience)
        else { throw NoRoot() }
        return root
    }

    struct NoRoot: Error {}

    /// Without the proxy.
    func store(_ uri: String? = nil) throws -> any RemoteStore {
        var direct = try root(uri)
        if proxy != nil { direct = try root(uri) { $0["MLFLOW_S3_ENDPOINT_URL"] = "http://127.0.0.1:\(server.port)" } }
        return try direct.open(cancellation: Cancellation())
    }

    func put(_ objects: [String: [UInt8]], _ uri: String? = nil) throws {
        let connection = try store(uri).connect()
        for (key, content) in objects { try connection.put(.bytes(content), as: ObjectKey(key), mark: nil) }
    }

    func delete(_ key: String) throws { try store().connect().delete(ObjectKey(key)) }

    func stack(
        _ remote: [RemoteRoot]? = nil, artifacts: FilePath? = nil, further: [ArtifactFolder] = [],
        servedNames: @escaping @Sendable () throws -> [String]? = { nil }, ignored: IgnoredPlaces = .none
    ) throws -> LiveStack {
        LiveStack(
            database: live.database, tools: PostgresTools(binDirectory: live.server.binDirectory),
            artifacts: artifacts ?? live.artifacts, further: further, remote: try remote ?? [root()],
            mlflowVersion: { "3.17.2" }, servedNames: servedNames, ignored: ignored)
    }

    func workspace(_ stack: LiveStack? = nil, progress: @escaping ProgressSink = { _ in }) throws -> Workspace {
        Workspace(try stack ?? self.stack(), live.folder, log: .silent, progress: progress)
    }

    @discardableResult
    func backup(
        _ kind: BackupName.Kind = .compressed, _ stack: LiveStack? = nil, progress: @escaping ProgressSink = { _ in }
    ) throws -> BackupOutcome {
        try live.awaitOlderTransactions()
        return try BackupJob(workspace(stack, progress: progress), options: .init(kind: kind), version: "test").run()
    }

    /// What an ordinary tar makes of a backup: paths below the root with their contents.
    func unpacked(_ made: BackupOutcome, _ section: String = "artifacts-media") throws -> [String: [UInt8]] {
        let target = live.root.path.appending("unpacked-\(made.name.string)")
        try? Directory.removeTree(target)
        try Directory.make(target)
        if made.name.string.hasSuffix(".tar.gz") {
            try Shell.sh("tar -xzf '\(made.path)' -C '\(target)' --strip-components=1 2>/dev/null")
        } else {
            try Shell.sh("cp -a '\(made.path)/.' '\(target)'")
        }
        let folder = target.appending(section)
        var found: [String: [UInt8]] = [:]
        guard try FileStatus.ifPresent(folder) != nil else { return found }
        var walk = try TreeWalk(root: OpenFile(folder, .directory), prefix: nil)
        while let step = try walk.next() {
            guard case .entry(let entry, let parent, let name) = step, entry.kind == .file else { continue }
            found[entry.path.description] = try parent.open(name, .readNoFollow).readAll()
        }
        return found
    }
}

extension BackupOutcome {
    func root(_ name: String = "media") -> Manifest.Root? { manifest.roots?.first { $0.name == name } }
}

func noise(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}
