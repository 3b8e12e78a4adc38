// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Reads a file from its start to its end on a thread of its own, never further than somebody who works on the same file
/// has said that it may.
final class FileFollower<Outcome: Sendable> {
    fileprivate struct State {
        /// Bytes from the start that may be read.
        var allowed: UInt64 = 0
        var done: UInt64 = 0
        var isComplete = false
        var isAbandoned = false
        var result: Result<Outcome, any Error>?
    }

    /// The thread's side of it.
    struct Pace {
        fileprivate let state: Monitor<State>

        /// Calls `read` with the offset of each piece in turn, once all of it may be read: whole pieces only until the end
        /// is known, because reads around the page cache want aligned places.
        /// - Parameter read: returns how many bytes it got; fewer than `size` are the end of the file.
        /// - Throws: `CancelledError` where nobody waits for the outcome any more, and what `read` throws.
        func forEachPiece(of size: Int, _ read: (UInt64) throws -> Int) throws {
            var offset: UInt64 = 0
            while true {
                try state.wait { state -> Result<Void, CancelledError>? in
                    if state.isAbandoned { return .failure(CancelledError()) }
                    return state.isComplete || state.allowed >= offset + UInt64(size) ? .success(()) : nil
                }.get()
                let got = try read(offset)
                offset += UInt64(got)
                state.withLock { $0.done = offset }
                if got < size { return }
            }
        }
    }

    private let state = Monitor(State())
    private let thread: WorkerThread

    /// - Parameters:
    ///   - name: of the thread.
    ///   - work: reads the file, on that thread.
    init(_ name: String, _ work: @escaping @Sendable (Pace) throws -> Outcome) throws(SystemError) {
        let state = state
        thread = try WorkerThread(name) {
            WorkerThread.lowerInputOutputPriority()
            let result = Result { try work(Pace(state: state)) }
            state.withLock { $0.result = result }
        }
    }

    deinit {
        state.withLock { $0.isAbandoned = true }
        thread.join()
    }

    /// What lies before `offset` may be read.
    func allow(upTo offset: UInt64) { state.withLock { $0.allowed = max($0.allowed, offset) } }

    /// Waits until it is at most `lag` bytes behind what it may read.
    func wait(untilWithin lag: UInt64) {
        state.wait { $0.result != nil || $0.allowed - $0.done <= lag ? () : nil }
    }

    /// The rest of the file may be read; waits for what comes of it.
    func finish() throws -> Outcome {
        state.withLock { $0.isComplete = true }
        return try state.wait { $0.result }.get()
    }
}
