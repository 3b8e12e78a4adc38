// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Testing

/// A folder of one test, removed with it.
final class Scratch: Sendable {
    let path: FilePath

    init() throws {
        let made = FilePath("/tmp/mlflow-archive-test-\(getpid())-\(UInt64.random(in: 0 ... .max))")
        try Directory.make(made, mode: 0o700)
        path = made
    }

    deinit { _ = try? Tool.run("rm", ["-rf", path.string]) }

    func folder(_ name: String) throws -> FilePath {
        let made = path.appending(name)
        try Directory.make(made)
        return made
    }

    @discardableResult
    func file(_ name: String, _ bytes: [UInt8]) throws -> FilePath {
        let made = path.appending(name)
        try OpenFile(made, .createNew(mode: 0o644)).write(bytes)
        return made
    }
}

/// Programs of other people that must be able to read our archives.
enum Tool {
    struct Missing: Error, CustomStringConvertible {
        let name: String
        var description: String {
            "\(name) is missing: apt-get install gzip tar pigz isal busybox-static libarchive-tools p7zip-full zstd "
                + "python3 perl util-linux"
        }
    }

    struct Failed: Error, CustomStringConvertible {
        let command: String
        let outcome: ChildProcess.Outcome
        var description: String { "\(command): \(outcome.exit)\n\(outcome.errors)\(outcome.output)" }
    }

    @discardableResult
    static func run(_ name: String, _ arguments: [String]) throws -> ChildProcess.Outcome {
        for folder in ["/usr/bin", "/bin", "/usr/sbin", "/sbin"] where access("\(folder)/\(name)", X_OK) == 0 {
            return try ChildProcess(
                FilePath("\(folder)/\(name)"), arguments,
                environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "HOME": "/tmp"]
            ).run()
        }
        throw Missing(name: name)
    }

    /// As `run`; anything but success is an error.
    @discardableResult
    static func mustRun(_ name: String, _ arguments: [String]) throws -> String {
        let outcome = try run(name, arguments)
        guard outcome.succeeded else {
            throw Failed(command: ([name] + arguments).joined(separator: " "), outcome: outcome)
        }
        return outcome.output
    }

    @discardableResult
    static func shell(_ script: String, _ arguments: FilePath...) throws -> String {
        try mustRun("bash", ["-euo", "pipefail", "-c", script, "test"] + arguments.map(\.string))
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a test that fails names its seed and can be run again.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Bytes that do not compress, the same each time.
    static func bytes(_ count: Int) -> [UInt8] {
        var random = SeededRandom(UInt64(count))
        return random.noise(count)
    }

    /// Bytes that do not compress.
    mutating func noise(_ count: Int) -> [UInt8] {
        var words = [UInt64](repeating: 0, count: (count + 7) / 8)
        for index in words.indices { words[index] = next() }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }

    /// Bytes that compress about as well as JSON does: lines in an order of their own, repeated.
    mutating func text(_ count: Int) -> [UInt8] {
        var unit: [UInt8] = []
        while unit.count < min(count, 1 << 14) {
            unit += "{\"step\": \(next() % 100), \"metric\": \"loss\", \"value\": 0.\(next() % 9999)}\n".utf8
        }
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += unit }
        return Array(bytes.prefix(count))
    }
}

extension OpenFile {
    func write(_ bytes: [UInt8], at offset: UInt64) throws {
        // Through a result: a closure with a typed throw here crashes the compiler (Swift 6.3).
        try bytes.withUnsafeBytes { buffer in Result { try write(buffer, at: offset) } }.get()
    }
}
