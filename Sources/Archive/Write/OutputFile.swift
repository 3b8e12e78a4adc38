// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO

/// An archive file as it grows: bytes that are appended, and ranges of another file.
///
/// What is appended goes past the page cache (O_DIRECT) in large aligned pieces where that is possible: an archive is
/// read back from the disk at once and then not for a long time, and its pages would push out those of others.
final class OutputFile {
    let file: OpenFile
    private var direct: OpenFile?
    private let buffer = PageBuffer(count: 1 << 20)
    private var filled = 0
    /// For reading the archive before: it is one file all the time. Without one there is nothing to read, nor room for it.
    private var openSource: (file: OpenFile, window: PageBuffer)?
    private var writtenBack: UInt64 = 0
    /// Bytes in the file; the buffer's follow them.
    private(set) var written: UInt64 = 0

    init(_ file: OpenFile) throws {
        self.file = file
        do throws(SystemError) { direct = try OpenFile(file.path, .writeAroundCache) } catch {
            // A file system without O_DIRECT says EINVAL.
            guard error.code == EINVAL else { throw error }
            direct = nil
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = min(rest.count, buffer.bytes.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if filled == buffer.bytes.count { try flush(all: false) }
        }
    }

    /// Writes whole blocks of the buffer, or all of it.
    private func flush(all: Bool) throws(SystemError) {
        let aligned = direct == nil || written % 4096 != 0 ? 0 : filled / 4096 * 4096
        if aligned > 0 { try writeAroundCache(aligned) }
        let end = all || direct == nil ? filled : aligned
        if aligned < end {
            // The last odd bytes go through the page cache.
            try file.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[aligned..<end]), at: written + UInt64(aligned))
        }
        written += UInt64(end)
        buffer.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer.bytes[end..<filled]))
        filled -= end
        startWriteback()
    }

    /// Some file systems take O_DIRECT and refuse the first write.
    private func writeAroundCache(_ count: Int) throws(SystemError) {
        let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count])
        do throws(SystemError) { try direct?.write(bytes, at: written) } catch {
            guard error.code == EINVAL else { throw error }
            direct = nil
            try file.write(bytes, at: written)
        }
    }

    /// Writes everything, at the end.
    func flush() throws(SystemError) { try flush(all: true) }

    enum Transfer { case cloned, copied }

    /// Appends a range of another file.
    /// - Parameter sharing: whether to share its blocks; the end of this file is at a multiple of 4096 bytes then.
    func append(
        from source: OpenFile, at offset: UInt64, length: UInt64, sharing: Bool
    ) throws(SystemError) -> Transfer {
        if sharing {
            try flush(all: true)
            if try file.clone(from: source, at: offset, length: length, to: written) {
                written += length
                return .cloned
            }
        }
        if direct == nil {
            try flush(all: true)
            try file.copy(from: source, at: offset, length: length, to: written)
            written += length
            startWriteback()
        } else {
            try copyAroundCache(from: source, at: offset, length: length)
        }
        return .copied
    }

    /// copy_file_range(2) would fill the page cache with both files, and on ext4 copies no faster.
    private func copyAroundCache(from source: OpenFile, at offset: UInt64, length: UInt64) throws(SystemError) {
        if openSource == nil {
            openSource = (try OpenFile(source.path, .readAroundCache), PageBuffer(count: 1 << 20))
        }
        guard let (input, window) = openSource else { return }
        var position = offset
        let end = offset + length
        while position < end {
            let start = position / 4096 * 4096
            let got = try input.read(into: window.bytes, at: start)
            let skip = Int(position - start)
            let count = min(got - skip, Int(end - position))
            guard count > 0 else { throw SystemError("copy", path: source.path.string, code: ENODATA) }
            try append(UnsafeRawBufferPointer(rebasing: window.bytes[skip..<(skip + count)]))
            position += UInt64(count)
        }
    }

    private func startWriteback() {
        guard direct == nil, written - writtenBack >= 16 << 20 else { return }
        file.startWriteback(offset: writtenBack, length: written - writtenBack)
        writtenBack = written
    }
}
