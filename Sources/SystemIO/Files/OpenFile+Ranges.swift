// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

extension OpenFile {
    /// Writes the whole buffer `offset` bytes into the file, without moving the descriptor's position.
    package func write(_ buffer: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        var done = 0
        while done < buffer.count {
            let place = try place(offset, plus: UInt64(done))
            done += try retryingInterrupts("write", path.string) {
                pwrite(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, place)
            }
        }
    }

    /// Shares blocks of another file instead of copying them (ioctl_ficlonerange(2)).
    /// - Returns: false where the file system cannot, or cannot at these offsets: xfs and btrfs want multiples of their
    ///   block size.
    package func clone(
        from source: OpenFile, at sourceOffset: UInt64, length: UInt64, to offset: UInt64
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try retryingInterrupts("clone", path.string) {
                clinux_clone_range(source.descriptor, sourceOffset, length, descriptor, offset)
            }
            return true
        } catch {
            if [EOPNOTSUPP, ENOTTY, EINVAL, EXDEV, ENOSYS, EPERM, ETXTBSY].contains(error.code) { return false }
            throw error
        }
    }

    /// Copies bytes of another file inside the kernel, or by hand where the kernel will not (copy_file_range(2)).
    /// - Throws: also where the source is shorter than that (ENODATA).
    package func copy(
        from source: OpenFile, at sourceOffset: UInt64, length: UInt64, to offset: UInt64
    ) throws(SystemError) {
        // Neither end may be one that no file has: the sums below are smaller.
        _ = (try source.place(sourceOffset, plus: length), try place(offset, plus: length))
        var done: UInt64 = 0
        while done < length {
            let got: Int
            do throws(SystemError) {
                got = try retryingInterrupts("copy", path.string) {
                    clinux_copy_range(
                        source.descriptor, sourceOffset + done, descriptor, offset + done,
                        Int(min(length - done, 1 << 30)))
                }
            } catch {
                guard done == 0, [EXDEV, EOPNOTSUPP, ENOSYS, EINVAL].contains(error.code) else { throw error }
                return try copyByHand(from: source, at: sourceOffset, length: length, to: offset)
            }
            guard got > 0 else { throw SystemError("copy", path: source.path.string, code: ENODATA) }
            done += UInt64(got)
        }
    }

    private func copyByHand(
        from source: OpenFile, at sourceOffset: UInt64, length: UInt64, to offset: UInt64
    ) throws(SystemError) {
        let buffer = PageBuffer(count: 1 << 20)
        var done: UInt64 = 0
        while done < length {
            let piece = UnsafeMutableRawBufferPointer(
                rebasing: buffer.bytes[..<Int(min(length - done, UInt64(buffer.bytes.count)))])
            guard try source.read(into: piece, at: sourceOffset + done) == piece.count else {
                throw SystemError("copy", path: source.path.string, code: ENODATA)
            }
            try write(UnsafeRawBufferPointer(piece), at: offset + done)
            done += UInt64(piece.count)
        }
    }

    /// Bytes on the disk that this file alone holds: those of blocks that no other file shares (FS_IOC_FIEMAP), or, where the
    /// file system cannot tell, of all its blocks.
    package func unsharedBytes() throws(SystemError) -> UInt64 {
        let told = clinux_unshared_bytes(descriptor)
        if told >= 0 { return UInt64(told) }
        var status = stat()
        try retryingInterrupts("stat", path.string) { fstat(descriptor, &status) }
        return UInt64(clamping: status.st_blocks).multiplied(clamped: 512)
    }

    /// The same for a name inside this folder; for a file that may not be read, all its blocks.
    package func unsharedBytes(of name: [UInt8]) throws(SystemError) -> UInt64 {
        do throws(SystemError) { return try open(name, .readNoFollow).unsharedBytes() } catch {
            guard error.code == EACCES else { throw error }
        }
        var status = stat()
        try retryingInterrupts("stat", path.appending(name).string) {
            FilePath(bytes: name).withCString { fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }
        }
        return UInt64(clamping: status.st_blocks).multiplied(clamped: 512)
    }

    /// Lets the disk begin with what was written, so that the sync at the end has little left. Advice only.
    package func startWriteback(offset: UInt64, length: UInt64) {
        _ = clinux_start_writeback(descriptor, offset, length)
    }
}
