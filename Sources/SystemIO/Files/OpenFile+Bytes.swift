// SPDX-License-Identifier: Apache-2.0

import Glibc

extension OpenFile {
    /// Reads until the buffer is full or the file ends.
    /// - Returns: bytes read; fewer than asked for only at the end of the file.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let got = try retryingInterrupts("read", path.string) {
                Glibc.read(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            }
            if got == 0 { break }
            filled += got
        }
        return filled
    }

    /// As `read(into:)`, from `offset` bytes into the file and without moving the descriptor's position.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let place = try place(offset, plus: UInt64(filled))
            let got = try retryingInterrupts("read", path.string) {
                pread(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, place)
            }
            if got == 0 { break }
            filled += got
        }
        return filled
    }

    package func write(_ buffer: UnsafeRawBufferPointer) throws(SystemError) {
        var done = 0
        while done < buffer.count {
            done += try retryingInterrupts("write", path.string) {
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
        }
    }

    package func write(_ bytes: [UInt8]) throws(SystemError) {
        var outcome: Result<Void, SystemError> = .success(())
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try write(buffer) } catch { outcome = .failure(error) }
        }
        try outcome.get()
    }

    /// The whole file, from its start.
    /// - Parameter limit: bytes; a longer file is an error (EFBIG), so that a wrong file cannot fill the memory.
    package func readAll(limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        var collected: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let got = try read(into: piece, at: UInt64(collected.count))
            if got == 0 { return collected }
            collected.append(contentsOf: piece[..<got])
            if collected.count > limit { throw SystemError("read", path: path.string, code: EFBIG) }
        }
    }

    package func truncate(to size: UInt64) throws(SystemError) {
        let end = try place(size)
        try retryingInterrupts("truncate", path.string) { ftruncate(descriptor, end) }
    }

    @discardableResult
    package func seek(to offset: UInt64) throws(SystemError) -> UInt64 {
        let place = try place(offset)
        return UInt64(try retryingInterrupts("seek", path.string) { lseek(descriptor, place, SEEK_SET) })
    }

    /// An offset as system calls take it. One that no file has is an error: the nearest that there is would be another place.
    /// - Throws: EOVERFLOW.
    func place(_ offset: UInt64, plus done: UInt64 = 0) throws(SystemError) -> off_t {
        let (sum, overflow) = offset.addingReportingOverflow(done)
        guard !overflow, let place = off_t(exactly: sum) else {
            throw SystemError("seek", path: path.string, code: EOVERFLOW)
        }
        return place
    }
}
