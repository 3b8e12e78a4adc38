// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import HTTPServer
import SystemIO
import TestSupport
import Testing
import Wording

@testable import API

@Suite("What may be asked at once", .onItsOwnThread)
struct GateTests {
    private func request(isAbandoned: @escaping @Sendable () -> Bool = { false }) throws -> HTTPRequest {
        HTTPRequest(method: "GET", target: try #require(RequestTarget("/")), isAbandoned: isAbandoned)
    }

    @Test("so many pass at once, the others wait, and whoever waits too long hears so")
    func places() throws {
        let gate = Gate(places: 2, patience: 0.3)
        let (inside, most, released) = (Monitor(0), Monitor(0), Monitor(false))
        let request = try request()
        let outcomes = Monitor<[String]>([])
        let threads = try (0..<5).map { number in
            try WorkerThread("gate-\(number)") {
                do {
                    try gate.pass(request) {
                        let now = inside.withLock { count in
                            count += 1
                            return count
                        }
                        most.withLock { $0 = max($0, now) }
                        released.wait { $0 ? () : nil }
                        inside.withLock { $0 -= 1 }
                    }
                    outcomes.withLock { $0.append("passed") }
                } catch { outcomes.withLock { $0.append(error.stableCode) } }
            }
        }
        try Patience.wait("three to be refused") { outcomes.read { $0.count } == 3 }
        #expect(outcomes.read { $0 } == ["service-busy", "service-busy", "service-busy"])
        released.withLock { $0 = true }
        threads.forEach { $0.join() }
        #expect(outcomes.read { $0.filter { $0 == "passed" }.count } == 2 && most.read { $0 } == 2)
        // Each place was given back.
        #expect(try gate.pass(request) { 7 } == 7)
    }

    @Test(
        "Where the backup folder does not answer, whatever needs it says so, soon, and all others at once; what is in memory is answered",
        .enabled(if: geteuid() == 0 && access("/usr/bin/sshfs", X_OK) == 0, "a folder that hangs is one of sshfs"))
    func silentFolder() throws {
        let root = try TemporaryFolder("silent_folder")
        let (mount, back) = (root.path.appending("mount"), root.path.appending("back"))
        for folder in [mount, back] { try Directory.make(folder) }
        // The server of the mount is a process of ours, which can be stopped.
        try root.write("server.py", Array(Self.server.utf8))
        try Shell.sh(
            """
            cd '\(root.path)'; python3 server.py back >port 2>log & for i in $(seq 100); do [ -s port ] && break; sleep 0.1; done
            sshfs -o directport=$(head -1 port) 127.0.0.1:'\(back)' mount
            """)
        let server = try Shell.sh("sed -n 2p '\(root.path)/port'").trimmingCharacters(in: .whitespacesAndNewlines)
        defer { _ = try? Shell.sh("kill -CONT \(server); fusermount3 -uz '\(mount)'; kill \(server)") }
        let router = Router(
            [
                Route("DELETE", "/backups/{name}", at: .backupFolder) { _ in HTTPResponse(status: 200) },
                Route("GET", "/tasks/{id}", at: .taskRecords) { _ in HTTPResponse(status: 200) },
                Route("GET", "/health") { _ in HTTPResponse(status: 200) },
            ], gate: RequestGate(token: nil, allowedHosts: []), log: .silent, checkFolder: FolderCheck(mount))
        func status(_ method: String, _ path: String) throws -> Int {
            router.answer(HTTPRequest(method: method, target: try #require(RequestTarget(path)))).status
        }
        #expect(try status("DELETE", "/backups/x") == 200)
        try Shell.sh("kill -STOP \(server); sleep 1.2")
        let start = MonotonicTime.nanoseconds()
        #expect(try status("DELETE", "/backups/x") == 503)
        #expect(MonotonicTime.seconds(since: start) < 15)
        let next = MonotonicTime.nanoseconds()
        for _ in 0..<5 { #expect(try status("DELETE", "/backups/x") == 503 && status("GET", "/tasks/x") == 503) }
        #expect(try status("GET", "/health") == 200)
        #expect(MonotonicTime.seconds(since: next) < 5)
        try Shell.sh("kill -CONT \(server)")
        try Patience.wait("the folder to answer again") { try status("DELETE", "/backups/x") == 200 }
    }

    /// One connection, handed to the server of sftp; its port and its process are told.
    private static let server = """
        import socket, subprocess
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
        process = subprocess.Popen(["/usr/lib/openssh/sftp-server"], stdin=connection, stdout=connection)
        print(process.pid, flush=True)
        process.wait()
        """

    @Test("S5: nothing is done for a client that has left")
    func left() throws {
        let gate = Gate(places: 1, patience: 1)
        let called = Monitor(false)
        #expect(throws: RequestError.clientLeft) {
            try gate.pass(request(isAbandoned: { true })) { called.withLock { $0 = true } }
        }
        #expect(!called.read { $0 })
    }

    @Test("S5: the server knows that one has left, and that one that waits has not")
    func serverKnows() throws {
        let seen = Monitor<[Bool]>([])
        let server = try HTTPServer { request in
            if request.rawPath == "/leaves" {
                for _ in 0..<100 where !request.isAbandoned() { usleep(20_000) }
            }
            let isAbandoned = request.isAbandoned()
            seen.withLock { $0.append(isAbandoned) }
            return HTTPResponse(status: 204)
        }
        defer { server.stop(graceSeconds: 5) }
        _ = try Shell.sh("curl -s -m 5 http://127.0.0.1:\(server.port)/stays")
        #expect(seen.read { $0 } == [false])
        _ = try? Shell.sh("curl -s -m 1 http://127.0.0.1:\(server.port)/leaves")
        try Patience.wait("the second to be seen") { seen.read { $0.count } == 2 }
        #expect(seen.read { $0 } == [false, true])
    }
}
