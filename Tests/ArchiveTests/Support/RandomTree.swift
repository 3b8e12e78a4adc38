// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// A tree with everything that has ever broken a backup program.
struct RandomTree {
    private var random: SeededRandom
    private var folders: [(FilePath, UInt32, FileTime)] = []

    @discardableResult
    init(seed: UInt64, at root: FilePath) throws {
        random = SeededRandom(seed)
        try Directory.make(root)
        try makeSizes(root)
        try makeNames(root)
        try makeLinks(root)
        try makeSmallFiles(root)
        for (path, mode, time) in folders.reversed() {
            let folder = try OpenFile(path, .directory)
            try folder.setMode(mode)
            try folder.setModified(time)
        }
    }

    private mutating func time() -> FileTime {
        let moments: [Int64] = [1_700_000_000, -1, -1_500_000_000, 0, 8_589_934_591, 8_589_934_592, 9_000_000_000, 1]
        let seconds = moments[Int(random.next() % UInt64(moments.count))]
        return FileTime(seconds: seconds, nanoseconds: [0, 1, 999_999_999, 120_000_000][Int(random.next() % 4)])
    }

    private mutating func file(_ path: FilePath, _ bytes: [UInt8]) throws {
        let file = try OpenFile(path, .createNew(mode: 0o600))
        try file.write(bytes)
        try file.setMode([0o644, 0o600, 0o400, 0o000, 0o755][Int(random.next() % 5)])
        try file.setModified(time())
    }

    private mutating func folder(_ path: FilePath, mode: UInt32 = 0o755) throws -> FilePath {
        try Directory.make(path)
        folders.append((path, mode, time()))
        return path
    }

    private mutating func makeSizes(_ root: FilePath) throws {
        let sizes = try folder(root.appending("sizes"))
        let chunk = ArchiveLayout.chunkSize
        for size in [0, 1, 511, 512, 513, 1 << 20, chunk - 1, chunk, chunk + 1] {
            try file(sizes.appending("\(size)"), random.text(size))
        }
        try file(sizes.appending("weights"), random.noise(2 * chunk + Int(random.next() % 9_000)))
        let sparse = try OpenFile(sizes.appending("sparse"), .createNew(mode: 0o644))
        try sparse.truncate(to: UInt64(3 * chunk + 77))
        try sparse.seek(to: UInt64(chunk + 5))
        try sparse.write(random.noise(1000))
    }

    private mutating func makeNames(_ root: FilePath) throws {
        let names = try folder(root.appending("names"))
        let strange: [[UInt8]] = [
            Array("caf\u{e9}".utf8), Array("cafe\u{301}".utf8), [0x66, 0xff, 0xfe, 0x80], Array("new\nline".utf8),
            Array("quote\"back\\slash".utf8), Array(" leading".utf8), Array("-rf".utf8), Array("模型.pkl".utf8),
            Array("index.json".utf8), Array("tab\there".utf8), [0x01, 0x7f],
            [UInt8](repeating: UInt8(ascii: "n"), count: 255),
        ]
        for name in strange { try file(names.appending(name), random.text(30)) }
        _ = try folder(names.appending([0xe9, 0xe9]))
        // The whole name in the tar is `mlflow_backup/artifacts/names/` and the rest.
        let lead = "mlflow_backup/artifacts/names/".utf8.count
        for length in [99, 100, 101, 102, 154, 155, 156, 157, 255, 256, 257, 258, 300, 700] {
            var path = names
            var rest = length - lead
            while rest > 90 {
                path = try folder(path.appending(String(repeating: "d", count: 59)))
                rest -= 60
            }
            if rest > 4 { try file(path.appending("\(length)" + String(repeating: "f", count: rest - 3)), [1, 2, 3]) }
        }
        // No slash where ustar could split.
        let long = try folder(names.appending(String(repeating: "p", count: 160)))
        try file(long.appending(String(repeating: "q", count: 40)), [7])
        // A folder whose own slash is the hundred and first byte.
        _ = try folder(names.appending(String(repeating: "s", count: 100 - lead)))
        _ = try folder(names.appending(String(repeating: "t", count: 99 - lead)))
    }

    private mutating func makeLinks(_ root: FilePath) throws {
        let links = try folder(root.appending("links"))
        let deep = try folder(links.appending("deep"))
        try file(links.appending("first"), random.text(100))
        let parent = try OpenFile(links, .directory)
        let inner = try OpenFile(deep, .directory)
        try parent.makeHardLink(Array("first".utf8), to: inner, as: Array("second".utf8))
        try parent.makeHardLink(Array("first".utf8), to: parent, as: Array("third".utf8))
        for (name, target) in [
            ("plain", Array("first".utf8)), ("dangling", Array("nowhere".utf8)), ("dot", [UInt8(ascii: ".")]),
            ("long", [UInt8](repeating: UInt8(ascii: "x"), count: 180)), ("bytes", [0xff, 0x80]),
        ] {
            try parent.makeSymbolicLink(Array(name.utf8), to: target, modified: time())
        }
        try inner.makeSymbolicLink(Array("up".utf8), to: Array("../first".utf8), modified: time())
        try file(links.appending("large"), random.noise(ArchiveLayout.chunkSize + 100))
        try parent.makeHardLink(Array("large".utf8), to: inner, as: Array("large too".utf8))
    }

    private mutating func makeSmallFiles(_ root: FilePath) throws {
        _ = try folder(root.appending("empty"))
        let closed = try folder(root.appending("closed"), mode: 0o000)
        try file(closed.appending("inside"), random.text(10))
        let fixed = try folder(root.appending("readonly"), mode: 0o555)
        try file(fixed.appending("inside"), random.text(10))
        _ = try folder(root.appending("sticky"), mode: 0o1777)
        for run in 0..<12 {
            let place = try folder(root.appending("run-\(run)"))
            let artifacts = try folder(place.appending("artifacts"))
            for number in 0..<(random.next() % 12) {
                let size = Int(random.next() % 60_000)
                try file(artifacts.appending("f\(number)"), number % 3 == 0 ? random.noise(size) : random.text(size))
            }
        }
    }
}
