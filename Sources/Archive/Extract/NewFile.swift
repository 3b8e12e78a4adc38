// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// A file that is being restored.
///
/// Long pieces go past the page cache (O_DIRECT): a restore must not push everything else out of the machine's memory,
/// and where memory is fresh, filling it costs more than all other work of a restore.
struct NewFile: Sendable {
    let file: OpenFile
    /// The same file, for writing around the page cache; `nil` where that is not worth it or not possible.
    private let direct: OpenFile?

    /// Shorter pieces go through the page cache, in bytes: each one around it waits for the disk.
    private static let shortestAroundCache = 256 << 10

    /// - Parameter size: how long it will be, in bytes.
    init(_ name: [UInt8], in folder: OpenFile, size: UInt64) throws(SystemError) {
        file = try folder.open(name, .createNew(mode: 0o600))
        guard size >= UInt64(Self.shortestAroundCache) else {
            direct = nil
            return
        }
        do throws(SystemError) { direct = try folder.open(name, .writeAroundCache) } catch {
            // A file system without O_DIRECT says EINVAL.
            guard error.code == EINVAL else { throw error }
            direct = nil
        }
    }

    /// Several threads may write at once, to different places.
    /// - Parameter bytes: at the start of a page, or at least of a disk block, where they shall go around the cache.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        var done = 0
        let pages = bytes.count / PageBuffer.alignment * PageBuffer.alignment
        if let direct, pages >= Self.shortestAroundCache, offset % UInt64(PageBuffer.alignment) == 0 {
            do throws(SystemError) {
                try direct.write(UnsafeRawBufferPointer(rebasing: bytes[..<pages]), at: offset)
                done = pages
            } catch {
                // A disk that wants addresses to be more aligned than these; older dm-crypt says EIO of it. What is
                // really wrong with the disk comes up again below or at the sync.
                guard [EINVAL, EIO].contains(error.code) else { throw error }
            }
        }
        guard done < bytes.count else { return }
        try file.write(UnsafeRawBufferPointer(rebasing: bytes[done...]), at: offset + UInt64(done))
    }

    /// Leaves holes where there are only zeros, so that sparse files stay sparse.
    /// - Precondition: the file is long enough and nothing was written there: what is not written is a hole.
    func writeSparsely(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        let block = PageBuffer.alignment
        var start = 0
        var position = 0
        while position < bytes.count {
            let end = min(position + block, bytes.count)
            if Self.isZero(UnsafeRawBufferPointer(rebasing: bytes[position..<end])) {
                if start < position {
                    try write(UnsafeRawBufferPointer(rebasing: bytes[start..<position]), at: offset + UInt64(start))
                }
                start = end
            }
            position = end
        }
        if start < bytes.count {
            try write(UnsafeRawBufferPointer(rebasing: bytes[start...]), at: offset + UInt64(start))
        }
    }

    /// A block equals itself moved by one byte only if all its bytes are the first one.
    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, bytes[0] == 0 else { return false }
        return memcmp(start, start.advanced(by: 1), bytes.count - 1) == 0
    }
}
