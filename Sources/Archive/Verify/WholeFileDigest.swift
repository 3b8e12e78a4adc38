// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// SHA-256 of a whole file while others read parts of it: on a thread of its own, over the same pages, which leave the
/// page cache behind it.
final class WholeFileDigest {
    private struct State {
        /// Bytes from the start that somebody else has asked the disk for.
        var allowed: UInt64 = 0
        var done: UInt64 = 0
        var isComplete = false
        var isAbandoned = false
        var result: Result<(size: UInt64, digest: Digest), any Error>?
    }

    private let state = Monitor(State())
    private let thread: WorkerThread

    /// Bytes read at once.
    private static let piece = 1 << 20
    /// Bytes that stay in the page cache behind and before this thread: more than the other readers have under way.
    private static let lag: UInt64 = 64 << 20

    init(_ file: OpenFile) throws(SystemError) {
        let state = state
        thread = try WorkerThread("whole-digest") {
            WorkerThread.lowerInputOutputPriority()
            let result = Result { try Self.follow(state, file) }
            state.withLock { $0.result = result }
        }
    }

    deinit {
        state.withLock { $0.isAbandoned = true }
        thread.join()
    }

    /// Somebody reads up to `offset` now. Waits where this thread is far behind, so that pages need not be read twice.
    func follow(upTo offset: UInt64) {
        state.wait { state in
            state.allowed = max(state.allowed, offset)
            return state.result != nil || state.allowed - state.done <= Self.lag ? () : nil
        }
    }

    /// Reads on to the end of the file.
    /// - Throws: `SystemError` where the disk does not give the bytes.
    func finish() throws -> (size: UInt64, digest: Digest) {
        state.withLock { $0.isComplete = true }
        return try state.wait { $0.result }.get()
    }

    private static func follow(_ state: Monitor<State>, _ file: OpenFile) throws -> (size: UInt64, digest: Digest) {
        let buffer = PageBuffer(count: piece)
        var hash = SHA256()
        var offset: UInt64 = 0
        var dropped: UInt64 = 0
        while true {
            try state.wait { state -> Result<Void, CancelledError>? in
                if state.isAbandoned { return .failure(CancelledError()) }
                return state.isComplete || state.allowed >= offset + UInt64(piece) ? .success(()) : nil
            }.get()
            let got = try file.read(into: buffer.bytes, at: offset)
            hash.update(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<got]))
            offset += UInt64(got)
            state.withLock { $0.done = offset }
            let isEnd = got < piece
            let keep = isEnd ? 0 : lag
            if offset - dropped >= 2 * keep {
                // A check of all backups must not empty the machine's page cache.
                file.advise(.willNotNeed, offset: dropped, length: offset - keep - dropped)
                dropped = offset - keep
            }
            if isEnd { return (offset, hash.finish()) }
        }
    }
}
