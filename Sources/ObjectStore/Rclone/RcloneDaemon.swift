// SPDX-License-Identifier: Apache-2.0

import Curl
import Glibc
import SystemIO

/// One `rclone rcd` for the life of an operation: it listens on a socket in a folder that only we may enter, which is its whole
/// authentication (`--rc-no-auth`). It ends with this object, and with the process (`ChildProcess`).
package final class RcloneDaemon: Sendable {
    let configuration: RcloneConfiguration
    /// Private, and removed at the end: the configuration, the socket, files that rclone is to send.
    let folder: FilePath
    private let program: FilePath
    private let patience: RequestPatience
    private let cancellation: Cancellation
    private let state = Monitor(State())

    private struct State {
        var life: RcloneLife?
        var starts = 0
        var isConfigured = false
        /// The end of what the last one logged, once it died.
        var lastWords = ""
    }

    /// It starts at the first request.
    /// - Parameters:
    ///   - program: rclone 1.66 or later.
    ///   - folder: an existing one; what is made in it is removed again.
    package init(
        _ configuration: RcloneConfiguration, program: FilePath, in folder: FilePath,
        patience: RequestPatience = RequestPatience(), cancellation: Cancellation = Cancellation()
    ) throws {
        (self.configuration, self.program) = (configuration, program)
        (self.patience, self.cancellation) = (patience, cancellation)
        guard try FileStatus.ifPresent(program) != nil else {
            throw ObjectStoreError.rcloneMissing(path: program.string)
        }
        self.folder = try Self.privateFolder(in: folder)
    }

    deinit {
        stop()
        // There are secrets in what stays behind, but nobody else may enter, and whoever gave the folder removes it, too.
        try? Directory.removeTree(folder)
    }

    /// Bytes of a socket's path (`sockaddr_un`, unix(7)).
    private static let pathLimit = 107

    private static func privateFolder(in parent: FilePath) throws -> FilePath {
        // Where the operation's own folder lies too deep for a socket, below the system's temporary one.
        let isShort = parent.bytes.count + "/rclone-XXXXXX/s".utf8.count <= pathLimit
        var template = (isShort ? parent : "/tmp").appending("rclone-XXXXXX").bytes.map { CChar(bitPattern: $0) } + [0]
        guard mkdtemp(&template) != nil else { throw SystemError("make a folder in", path: parent.string) }
        return FilePath(bytes: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    }

    var socket: FilePath { folder.appending("s") }

    /// One that answers: a new one, where the last one has died. - Throws: `.rcloneDied` at the second death.
    func life() throws -> RcloneLife {
        try state.withLock { state in
            while true {
                if let life = state.life, life.reasonOfDeath == nil { return life }
                if let dead = state.life { state.lastWords = dead.reasonOfDeath ?? "" }
                state.life = nil
                // Once more, and not again: what killed it twice kills it each time.
                if state.starts >= 2 { throw ObjectStoreError.rcloneDied(reason: state.lastWords) }
                state.starts += 1
                let life = try start()
                state.life = life
                guard try isListening(life) else { continue }
                if !state.isConfigured { try configure() }
                state.isConfigured = true
                return life
            }
        }
    }

    /// Ends it and waits until it has.
    package func stop() {
        let life = state.withLock { state in
            (state.starts, state.lastWords) = (.max, "it was stopped")
            defer { state.life = nil }
            return state.life
        }
        life?.end()
    }

    private func start() throws -> RcloneLife {
        if try FileStatus.ifPresent(socket) != nil { try Directory.remove(socket) }
        let file = configuration.file ?? folder.appending("rclone.conf")
        if configuration.file == nil, try FileStatus.ifPresent(file) == nil {
            try DurableFile.replace(file, with: [], mode: 0o600)
        }
        let arguments = [
            "rcd", "--rc-serve", "--rc-no-auth", "--rc-addr", "unix://" + socket.string, "--config", file.string,
            "--ask-password=false", "--log-level", "NOTICE", "--retries", "1", "--low-level-retries", "2",
            "--contimeout", "\(Int(nearest: max(patience.connecting, 1)))s",
            "--timeout", "\(Int(nearest: max(patience.stall, 1)))s",
            "--cache-dir", folder.appending("cache").string, "--temp-dir", folder.string,
        ]
        var environment = configuration.environment
        // The root as a remote without a path: a path in a URL's brackets must not have brackets itself.
        let name = "RCLONE_CONFIG_" + Self.rootName.uppercased()
        environment[name + "_TYPE"] = "alias"
        environment[name + "_REMOTE"] = configuration.root
        return try RcloneLife(ChildProcess(program, arguments, environment: environment))
    }

    /// The remote that the root is.
    static let rootName = "mlflowroot"

    /// Waits until it answers. - Returns: `false` where it has died.
    private func isListening(_ life: RcloneLife) throws -> Bool {
        let start = MonotonicTime.nanoseconds()
        let channel = try HTTPChannel(Self.place, patience, FirstContact(), cancellation)
        while MonotonicTime.seconds(since: start) < Self.startSeconds {
            do {
                if try ask(channel, "rc/noop", [:]).status == 200 { return true }
            } catch is PassingFailure {}
            if life.isOver(within: 0.02) { return false }
        }
        life.end()
        return false
    }

    /// For the program to be read and to listen: on a disk that does much else it takes a while.
    private static let startSeconds = 60.0
    static let place = "rclone"

    /// Over the socket: what it is told is seen by nobody, and what has to be obscured in its file rclone obscures.
    private func configure() throws {
        guard let remote = configuration.remote else { return }
        let channel = try HTTPChannel(Self.place, patience, FirstContact(), cancellation)
        let answer = try ask(
            channel, "config/create",
            [
                "name": RcloneConfiguration.name, "type": remote.type,
                "parameters": remote.parameters.mapValues(\.text), "opt": ["nonInteractive": true, "obscure": true],
            ])
        guard answer.status == 200 else {
            // Its answer repeats what it was told, secrets and all: only its own words go on.
            throw ObjectStoreError.badCredentials(name: "rclone", reason: answer.error)
        }
    }

    private func ask(
        _ channel: HTTPChannel, _ call: String, _ input: [String: Any]
    ) throws -> (status: Int, error: String) {
        let answer = try channel.send(
            "http://rclone/" + call, .post(try RcloneCall.encoded(input)),
            prepare: { transfer throws(CurlError) in
                try transfer.setUnixSocket(socket.string)
                try transfer.setHeaders(["Content-Type: application/json", "Expect:"])
            })
        return (answer.head.status, RcloneCall.error(answer.body))
    }
}
