// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import SystemIO

@testable import HTTPServer

/// A plain TCP client: says exactly what the test says.
final class RawClient {
    private let descriptor: Int32

    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard code == 0 else { throw SocketFailure(code: errno) }
    }

    deinit { close(descriptor) }

    /// `false` when the server has gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// What arrives, until the end, or until `enough` says so.
    func receive(until enough: ([UInt8]) -> Bool = { _ in false }) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !enough(all) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            all += buffer[..<count]
        }
        return all
    }

    /// Takes what is there, a little, and does not wait. `false` after the end.
    func trickles(_ most: Int = 700) -> Bool {
        var buffer = [UInt8](repeating: 0, count: most)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count > 0 || count < 0 && errno == EAGAIN
    }

    func receiveText(until mark: String? = nil) -> String {
        let bytes = receive { bytes in
            mark.map { String(decoding: bytes, as: UTF8.self).contains($0) } ?? false
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

struct SocketFailure: Error { let code: Int32 }

/// The real curl, run with an argument list.
struct Curl {
    let exitCode: Int32
    let output: [UInt8]
    var text: String { String(decoding: output, as: UTF8.self) }

    init(_ arguments: String...) throws { try self.init(arguments) }

    init(_ arguments: [String]) throws {
        // A file rather than a pipe: no end of it can leak into another test's curl.
        let (file, path) = try temporaryFile("curl")
        defer {
            close(file)
            unlink(path)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var list: [UnsafeMutablePointer<CChar>?] = (["curl", "-s", "--max-time", "60"] + arguments).map { strdup($0) }
        defer { list.forEach { free($0) } }
        list.append(nil)
        var process: pid_t = 0
        let code = posix_spawn(&process, "/usr/bin/curl", &actions, nil, list, environ)
        guard code == 0 else { throw SocketFailure(code: code) }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = read(file, &buffer, buffer.count), count > 0 { all += buffer[..<count] }
        exitCode = (status >> 8) & 0xFF
        output = all
    }
}

func temporaryFile(_ name: String) throws -> (descriptor: Int32, path: String) {
    var path = Array("/tmp/\(name)-XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw SocketFailure(code: errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return (descriptor, String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
}

/// A file that is already unlinked, filled; /proc still shows its `name`.
func openFile(_ content: [UInt8], name: String = "http-test") throws -> OwnedDescriptor {
    let (descriptor, path) = try temporaryFile(name)
    unlink(path)
    var written = 0
    while written < content.count {
        let count = content.withUnsafeBytes {
            write(descriptor, $0.baseAddress.map { $0 + written }, content.count - written)
        }
        guard count > 0 else { throw SocketFailure(code: errno) }
        written += count
    }
    return OwnedDescriptor(owning: descriptor)
}

func ramp(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

/// A value shared between threads, with waiting.
final class Shared<Value: Sendable>: Sendable {
    private let value: Monitor<Value>
    init(_ value: Value) { self.value = Monitor(value) }
    func update<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result {
        value.withLock { body(&$0) }
    }
    var current: Value { update { $0 } }

    /// Waits until it holds, for 20 s at most.
    func reaches(_ condition: @Sendable (Value) -> Bool) -> Bool {
        for _ in 0..<2000 {
            if condition(current) { return true }
            usleep(10_000)
        }
        return false
    }
}

/// Counts down to a failure or an end; tells when it is dropped.
final class TestSource: BodySource {
    private let left: Mutex<Int>
    private let fails: Bool
    private let onDrop: @Sendable () -> Void

    init(bytes: Int, fails: Bool = false, onDrop: @escaping @Sendable () -> Void = {}) {
        left = Mutex(bytes)
        self.fails = fails
        self.onDrop = onDrop
    }

    deinit { onDrop() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try left.withLock { left in
            if left == 0, fails { throw SocketFailure(code: EIO) }
            let count = min(left, buffer.count)
            buffer[..<count].initializeMemory(as: UInt8.self, repeating: 0x78)
            left -= count
            return count
        }
    }
}

/// Runs blocking work on threads of its own, never in Swift's pool, and waits for it.
func onThreads(_ count: Int, _ work: @escaping @Sendable (Int) -> Void) {
    final class Job: Sendable {
        let index: Int
        let work: @Sendable (Int) -> Void
        init(_ index: Int, _ work: @escaping @Sendable (Int) -> Void) { (self.index, self.work) = (index, work) }
    }
    let threads = (0..<count).compactMap { index -> pthread_t? in
        var thread = pthread_t()
        let job = Unmanaged.passRetained(Job(index, work))
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let job = Unmanaged<Job>.fromOpaque(context).takeRetainedValue()
                job.work(job.index)
                return nil
            }, job.toOpaque())
        return code == 0 ? thread : nil
    }
    for thread in threads { pthread_join(thread, nil) }
}

let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
let getAndClose = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

func occurrences(of part: String, in text: String) -> Int {
    text.indices.count { text[$0...].hasPrefix(part) }
}

func writeFile(_ path: String, _ text: String) -> Bool {
    guard let file = fopen(path, "w") else { return false }
    let count = text.withCString { fwrite($0, 1, text.utf8.count, file) }
    return fclose(file) == 0 && count == text.utf8.count
}

func removeFile(_ path: String) { unlink(path) }
