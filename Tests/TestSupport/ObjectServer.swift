// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemIO

/// A real server of objects for a test: `rclone serve` over a folder, or moto's S3. It ends with this object.
package final class ObjectServer: Sendable {
    package enum Kind: Sendable, CaseIterable {
        /// Its bucket is the folder `bucket`. It checks signatures; a key that is no path it refuses.
        case rcloneS3
        /// Another program, with its objects in memory. It checks signatures, and takes any key.
        case moto
        case webDAV, sftp
    }

    package static let user = "tester"
    package static let password = "pass word%/@:"

    package let kind: Kind
    package let port: Int
    /// What is served, of rclone's: the bucket, or the root.
    package let files: FilePath
    /// Of S3.
    package let keyID: String
    package let secret: String
    private let folder: TemporaryFolder
    private let peer: PythonPeer?
    private let cancellation = Cancellation()
    private let thread: WorkerThread?

    /// The rclone of the product: `scripts/test` names it.
    package static func rclone() throws -> FilePath { try program("MLFLOW_TEST_RCLONE", "python/rclone.lock") }

    private static func motoPython() throws -> FilePath { try program("MLFLOW_TEST_MOTO", "python/moto.lock") }

    private static func program(_ variable: String, _ lock: String) throws -> FilePath {
        let path = ProcessInfo.processInfo.environment[variable] ?? ""
        if path.isEmpty { throw NoServerProgram(variable: variable, lock: lock) }
        return FilePath(path)
    }

    /// - Parameter options: further ones of `rclone serve`, as a certificate.
    package init(_ kind: Kind, options: [String] = []) throws {
        self.kind = kind
        folder = try TemporaryFolder("objects")
        if kind == .moto {
            let peer = try PythonPeer("moto_server.py", ["\(FreePort.next())"], python: Self.motoPython())
            let keys = try String(
                decoding: OpenFile(peer.folder.path.appending("keys"), .read).readAll(), as: UTF8.self
            )
            .split(separator: "\n").map(String.init)
            (self.peer, port, files, thread) = (peer, peer.port, folder.path, nil)
            (keyID, secret) = (keys[0], keys[1])
            return
        }
        (peer, keyID, secret) = (nil, "ACCESSKEY", "SECRETKEY")
        let root = folder.path.appending("root")
        files = kind == .rcloneS3 ? root.appending("bucket") : root
        try Directory.make(files)
        port = try FreePort.next()
        var arguments = ["serve", kind.name, root.string, "--addr", "127.0.0.1:\(port)", "--config", "/dev/null"]
        switch kind {
        case .rcloneS3: arguments += ["--auth-key", "ACCESSKEY,SECRETKEY"]
        default: arguments += ["--user", Self.user, "--pass", Self.password]
        }
        // A file that a test writes is there at once. With 0s rclone 1.75 arms a timer of no time for each folder, again and again,
        // and comes to nothing else.
        arguments += ["--dir-cache-time", "5ms", "--vfs-cache-mode", "off"] + options
        let child = ChildProcess(
            try Self.rclone(), arguments,
            environment: ["HOME": folder.path.string, "XDG_CACHE_HOME": folder.path.string])
        let (cancellation, ended) = (self.cancellation, Monitor<String?>(nil))
        thread = try WorkerThread("object server") {
            let reason: String
            do { reason = try child.run(cancellation: cancellation).errors } catch { reason = "\(error)" }
            ended.withLock { $0 = reason }
        }
        let port = port
        try Patience.wait("\(kind) at \(port)") {
            if let reason = ended.read({ $0 }) { throw ServerEnded(reason: reason) }
            return (try? Shell.run("/bin/bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port)"])) != nil
        }
    }

    package func stop() {
        peer?.stop()
        cancellation.cancel()
        thread?.join()
    }

    deinit { stop() }
}

extension ObjectServer.Kind {
    fileprivate var name: String {
        switch self {
        case .rcloneS3, .moto: "s3"
        case .webDAV: "webdav"
        case .sftp: "sftp"
        }
    }
}

private struct ServerEnded: Error {
    let reason: String
}

/// Tests cannot be run by hand without it.
private struct NoServerProgram: Error, CustomStringConvertible {
    let variable: String
    let lock: String
    var description: String { "\(variable) must name a program (\(lock)); scripts/test sets it" }
}
