// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Places in files, evenly spread over all bytes of a tree, for a guess at how well it can be compressed.
struct SamplePlaces: Sendable {
    private var places: [(path: EntryPath, offset: UInt64)] = []
    private var interval: UInt64 = 1 << 16
    private var passed: UInt64 = 0

    private static let most = 64
    /// Bytes of each sample: some windows of deflate (RFC 1951).
    private static let size = 128 << 10

    /// Adds a file's bytes, or the last of them, to the line that the places lie on.
    mutating func add(_ path: EntryPath, from start: UInt64, count: UInt64) {
        var next = passed % interval == 0 ? 0 : interval - passed % interval
        while next < count {
            if places.count == Self.most {
                // Every other one goes.
                places = places.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
                interval = interval.multiplied(clamped: 2)
                let position = passed.adding(clamped: next)
                next = next.adding(clamped: position % interval == 0 ? 0 : interval - position % interval)
                continue
            }
            places.append((path, start.adding(clamped: next)))
            next = next.adding(clamped: interval)
        }
        passed = passed.adding(clamped: count)
    }

    /// Between 0 and 1; 1 where there is nothing to guess by.
    func compressedFraction(in tree: FilePath, _ prefix: EntryPath) -> Double {
        guard let root = try? OpenFile(tree, .directoryThroughLink) else { return 1 }
        let (chain, compressor) = (FolderChain(root: root), GzipCompressor(level: 2))
        let buffer = PageBuffer(count: Self.size)
        var (read, made) = (0, 0)
        for place in places {
            do {
                guard let path = place.path.relative(to: prefix) else { continue }
                let (folder, name) = try chain.parent(of: path)
                let file = try folder.open(name, .readNoFollow)
                let size = try file.status().size
                // A sample of a small file is all of it.
                let start = size <= UInt64(Self.size) ? 0 : min(place.offset, size - UInt64(Self.size))
                let got = try file.read(into: buffer.bytes, at: start)
                guard got > 0 else { continue }
                read += got
                made += try compressor.member(of: Array(buffer.bytes[..<got])).count
            } catch {
                (read, made) = (read + Self.size, made + Self.size)
            }
        }
        return read == 0 ? 1 : min(1, Double(made) / Double(read))
    }
}
