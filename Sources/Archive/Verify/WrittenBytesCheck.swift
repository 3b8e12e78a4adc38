// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc
import SystemIO
import Wording

/// Reads an archive back from the disk while it is still being written, on a thread of its own: every member against
/// the checksum of what was meant to be there, and the SHA-256 of the whole file.
///
/// It reads past the page cache (O_DIRECT): pages that were just written would only prove that memory works, and it
/// makes the disk begin its work early. Members are compared by CRC-64, which finds what disks do to bytes at a
/// twentieth of the cost of SHA-256; the digests in the index are for everything later.
final class WrittenBytesCheck {
    /// Where a member lies, and what its bytes must be.
    struct Place: Sendable {
        let offset: UInt64
        let length: UInt64
        let checksum: CRC64
        /// Where it lies in the archive before, if it came from there.
        var source: UInt64?
    }

    private struct Plan {
        private var places: [Place] = []
        private var next = 0
        /// Bytes from the start of the file that have been written.
        var written: UInt64 = 0

        var hasPlaces: Bool { next < places.count }

        mutating func add(_ place: Place) { places.append(place) }

        /// The places of a whole archive may wait here at once, so that none is moved for each that leaves.
        mutating func takePlace() -> Place? {
            guard hasPlaces else { return nil }
            defer { next += 1 }
            if next > 4096, next > places.count / 2 {
                places.removeFirst(next)
                next = 0
            }
            return places[next]
        }
    }

    private let plan = Monitor(Plan())
    private let follower: FileFollower<Digest>

    /// - Parameter path: of the file that is being written.
    init(_ path: FilePath) throws {
        let plan = plan
        let file = try OpenFile(path, .readAroundCache)
        follower = try FileFollower("read-back") { try Self.read(file, $0, plan) }
    }

    func add(_ place: Place) { plan.withLock { $0.add(place) } }

    func wrote(upTo offset: UInt64) {
        plan.withLock { $0.written = offset }
        if offset > Self.lag { follower.allow(upTo: offset - Self.lag) }
    }

    /// Call when everything was written and synced.
    /// - Returns: the SHA-256 of the whole file.
    /// - Throws: `ArchiveError.previousDamaged` and `.damaged`.
    func finish() throws -> Digest { try follower.finish() }

    private static func read(
        _ opened: OpenFile, _ pace: FileFollower<Digest>.Pace, _ plan: Monitor<Plan>
    ) throws -> Digest {
        var file = opened
        let whole = try DigestThread(buffers: 3, size: piece)
        var sum = CRC64()
        var current: Place?
        var end: UInt64 = 0
        try pace.forEachPiece(of: piece) { offset in
            let buffer = whole.takeBuffer()
            let got = try read(&file, into: buffer.bytes, at: offset)
            end = offset + UInt64(got)
            var rest = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got])
            while !rest.isEmpty {
                guard let place = current ?? plan.withLock({ $0.takePlace() }) else {
                    throw damaged(
                        file, at: offset, .init(zh: "磁盘上的内容多于写入的内容", en: "the disk holds more than was written to it"))
                }
                current = place
                let position = end - UInt64(rest.count)
                let count = Int(min(place.offset + place.length - position, UInt64(rest.count)))
                sum.update(UnsafeRawBufferPointer(rebasing: rest[..<count]))
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                guard position + UInt64(count) == place.offset + place.length else { continue }
                guard sum == place.checksum else { throw fault(place, file) }
                sum = CRC64()
                current = nil
            }
            whole.add(buffer, count: got)
            return got
        }
        guard current == nil, !plan.withLock({ $0.hasPlaces }) else {
            throw ArchiveError.truncated(archive: file.path.string, expected: plan.withLock { $0.written }, found: end)
        }
        return whole.finish()
    }

    /// Some file systems take O_DIRECT and refuse the first read.
    private static func read(
        _ file: inout OpenFile, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        do throws(SystemError) { return try file.read(into: buffer, at: offset) } catch {
            guard error.code == EINVAL else { throw error }
            file = try OpenFile(file.path, .readNoFollow)
            file.advise(.willNotNeed)
            return try file.read(into: buffer, at: offset)
        }
    }

    /// Bytes read at once.
    private static let piece = 1 << 20
    /// Bytes left unread behind the writer, so that the disk is not made to write in small pieces.
    private static let lag: UInt64 = 8 << 20

    private static func fault(_ place: Place, _ file: OpenFile) -> ArchiveError {
        if let source = place.source { return .previousDamaged(archive: file.path.string, offset: source) }
        return damaged(
            file, at: place.offset, .init(zh: "磁盘上的内容不是写入的内容", en: "the disk does not hold what was written to it"))
    }

    private static func damaged(_ file: OpenFile, at offset: UInt64, _ reason: BilingualText) -> ArchiveError {
        .damaged(archive: file.path.string, offset: offset, reason: reason)
    }
}
