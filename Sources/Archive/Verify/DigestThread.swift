// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO

/// SHA-256 of a stream of buffers, on a thread of its own: it is the slowest part of reading an archive, and nothing
/// can be done at once with it, so nothing else shall wait for it.
final class DigestThread {
    private struct State {
        var free: [PageBuffer]
        var full: [(buffer: PageBuffer, count: Int)] = []
        var isComplete = false
        var isAbandoned = false
        var digest: Digest?
    }

    private let state: Monitor<State>
    private let thread: WorkerThread

    /// - Parameters:
    ///   - buffers: how many may be under way at once.
    ///   - size: of each, in bytes.
    init(buffers: Int, size: Int) throws(SystemError) {
        let state = Monitor(State(free: (0..<buffers).map { _ in PageBuffer(count: size) }))
        self.state = state
        thread = try WorkerThread("digest") { Self.work(state) }
    }

    deinit {
        state.withLock { $0.isAbandoned = true }
        thread.join()
    }

    /// A buffer to fill; waits until one is free.
    func takeBuffer() -> PageBuffer { state.wait { $0.free.popLast() } }

    /// The first `count` bytes of `buffer` come next.
    func add(_ buffer: PageBuffer, count: Int) { state.withLock { $0.full.append((buffer, count)) } }

    /// The digest of everything that was added.
    func finish() -> Digest {
        state.withLock { $0.isComplete = true }
        return state.wait { $0.digest }
    }

    private static func work(_ state: Monitor<State>) {
        var hash = SHA256()
        while true {
            let next = state.wait { state -> (buffer: PageBuffer, count: Int)?? in
                if state.isAbandoned { return .some(nil) }
                if !state.full.isEmpty { return state.full.removeFirst() }
                return state.isComplete ? .some(nil) : nil
            }
            guard let next else { break }
            hash.update(UnsafeRawBufferPointer(rebasing: next.buffer.bytes[..<next.count]))
            state.withLock { $0.free.append(next.buffer) }
        }
        let digest = hash.finish()
        state.withLock { $0.digest = digest }
    }
}
