// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO

/// SHA-256 of a whole file while others read parts of it: on a thread of its own, over the same pages, which leave the
/// page cache behind it.
final class WholeFileDigest {
    private let follower: FileFollower<(size: UInt64, digest: Digest)>

    /// Bytes read at once.
    private static let piece = 1 << 20
    /// Bytes that stay in the page cache behind and before this thread: more than the other readers have under way.
    private static let lag: UInt64 = 64 << 20

    init(_ file: OpenFile) throws(SystemError) {
        follower = try FileFollower("whole-digest") { try Self.read(file, $0) }
    }

    /// Somebody reads up to `offset` now. Waits where this thread is far behind, so that pages need not be read twice.
    func follow(upTo offset: UInt64) {
        follower.allow(upTo: offset)
        follower.wait(untilWithin: Self.lag)
    }

    /// Reads on to the end of the file.
    /// - Throws: `SystemError` where the disk does not give the bytes.
    func finish() throws -> (size: UInt64, digest: Digest) { try follower.finish() }

    private static func read(
        _ file: OpenFile, _ pace: FileFollower<(size: UInt64, digest: Digest)>.Pace
    ) throws -> (size: UInt64, digest: Digest) {
        let buffer = PageBuffer(count: piece)
        var hash = SHA256()
        var end: UInt64 = 0
        var dropped: UInt64 = 0
        try pace.forEachPiece(of: piece) { offset in
            let got = try file.read(into: buffer.bytes, at: offset)
            hash.update(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got]))
            end = offset + UInt64(got)
            let keep = got < piece ? 0 : lag
            if end - dropped >= 2 * keep {
                // A check of all backups must not empty the machine's page cache.
                file.advise(.willNotNeed, offset: dropped, length: end - keep - dropped)
                dropped = end - keep
            }
            return got
        }
        return (end, hash.finish())
    }
}
