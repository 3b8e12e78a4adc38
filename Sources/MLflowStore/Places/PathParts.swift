// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// An absolute path as the names on the way to it, without `.`, `..` and doubled slashes. What is not on this machine, or is
/// meant to be below a folder that only a server knows, can be told by its names alone.
struct PathParts: Hashable, Sendable {
    var names: [[UInt8]]

    init(_ names: some Sequence<[UInt8]>) { self.names = Array(names) }

    init(path: some Collection<UInt8>) {
        names = []
        for name in path.split(separator: slash) where Array(name) != [dot] {
            if Array(name) == [dot, dot] { _ = names.popLast() } else { names.append(Array(name)) }
        }
    }

    /// Of a URI: `%20` is a space.
    init(encoded path: some Collection<UInt8>) {
        self.init(path: PercentText.decoded(path))
    }

    var path: FilePath { FilePath(bytes: names.reduce(into: []) { $0 += [slash] + $1 }) }

    /// The names below a folder; `nil` for what is not in it.
    func below(_ folder: PathParts) -> PathParts? {
        guard names.starts(with: folder.names) else { return nil }
        return PathParts(names.dropFirst(folder.names.count))
    }

    func appended(to folder: FilePath) -> FilePath { names.reduce(folder) { $0.appending($1) } }

    /// Where it really is; `nil` where it is not. Asks the file system, which may never answer.
    fileprivate var real: PathParts? {
        guard let found = path.withCString({ realpath($0, nil) }) else { return nil }
        defer { free(found) }
        return PathParts(path: UnsafeBufferPointer(start: found, count: strlen(found)).map { UInt8(bitPattern: $0) })
    }

    /// Whether it has a name that MLflow gives to one run or one model alone, and to nothing else.
    var namesOneThing: Bool { names.contains { isIdentifier($0) } }
}

/// Where paths really are, as far as they are there: links are followed, and no link can be in the rest. Thousands of experiments
/// lie in few folders, and each folder is asked for once.
///
/// Nothing is asked of what an automounter would mount for it: rows of a database decide which disk that is.
struct RealPaths {
    private let mounts: [MountTable.Mount]
    private var known: [PathParts: (parts: PathParts, isThere: Bool)] = [:]
    /// Nobody keeps artifacts deeper than this.
    private static let deepest = 64

    init() {
        // Where the table cannot be read, nobody says that there is an automounter.
        mounts = (try? MountTable.mounts()) ?? []
    }

    /// Whether it is there; `nil` where nobody may look.
    func isThere(_ parts: PathParts) -> Bool? {
        guard mayAsk(parts) else { return nil }
        do { return try FileStatus.ifPresent(parts.path) != nil } catch { return nil }
    }

    private func mayAsk(_ parts: PathParts) -> Bool {
        MountTable.byName(parts.path, among: mounts)?.type != "autofs"
    }

    mutating func of(_ parts: PathParts) -> PathParts {
        guard parts.names.count <= Self.deepest else { return parts }
        var real = (parts: PathParts([]), isThere: true)
        for count in parts.names.indices.map({ $0 + 1 }) {
            let here = PathParts(parts.names.prefix(count))
            if let before = known[here] {
                real = before
                continue
            }
            let joined = PathParts(real.parts.names + parts.names[(count - 1)..<count])
            let found = real.isThere && mayAsk(joined) ? joined.real : nil
            real = (found ?? joined, found != nil)
            known[here] = real
        }
        return real.parts
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")

/// `3f2a…` of a run (a UUID without dashes), `m-3f2a…` of a logged model.
private func isIdentifier(_ name: [UInt8]) -> Bool {
    let digits = name.starts(with: Array("m-".utf8)) ? name.dropFirst(2) : name[...]
    return digits.count == 32 && digits.allSatisfy { HexDigits.value(of: $0) != nil }
}
