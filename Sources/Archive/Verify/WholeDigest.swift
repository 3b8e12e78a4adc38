// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// SHA-256 of a stream on a thread of its own, while the caller works on the same bytes.
///
/// The caller fills a buffer, submits it, uses it, and releases it; a buffer is filled again when both are done.
final class WholeDigest {
    private struct State {
        var submitted: [Int: Int] = [:]
        /// Buffers the caller has released, and buffers the digest has passed.
        var released = 0
        var hashed = 0
        var isEnded = false
        var digest: Digest?
    }

    private let ring: Ring
    private let state = Monitor(State())
    private let thread: WorkerThread
    private var filling = 0

    init() throws(SystemError) {
        let ring = Ring()
        let state = state
        self.ring = ring
        thread = try WorkerThread("digest") {
            WorkerThread.lowerInputOutputPriority()
            var hash = SHA256()
            var number = 0
            while true {
                let count = state.wait { state -> Int?? in
                    if let count = state.submitted.removeValue(forKey: number) { return .some(count) }
                    return state.isEnded ? .some(nil) : nil
                }
                guard let count else { break }
                hash.update(UnsafeRawBufferPointer(rebasing: ring[number][..<count]))
                number += 1
                state.withLock { $0.hashed = number }
            }
            let digest = hash.finish()
            state.withLock { $0.digest = digest }
        }
    }

    deinit {
        state.withLock { $0.isEnded = true }
        thread.join()
    }

    /// Waits until a buffer is free. It is the caller's until `submit`, and to read until `release`.
    func emptyBuffer() -> UnsafeMutableRawBufferPointer {
        let number = filling
        state.wait { min($0.released, $0.hashed) > number - Ring.count ? () : nil }
        return ring[number]
    }

    func submit(count: Int) {
        let number = filling
        filling += 1
        state.withLock { $0.submitted[number] = count }
    }

    func release() { state.withLock { $0.released += 1 } }

    func finish() -> Digest {
        state.withLock { $0.isEnded = true }
        return state.wait { $0.digest }
    }

    // @unchecked: a buffer is written by one thread only, while the counts above say that nobody reads it.
    private final class Ring: @unchecked Sendable {
        static let count = 4
        private let buffers = (0..<count).map { _ in
            UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        }

        subscript(number: Int) -> UnsafeMutableRawBufferPointer { buffers[number % Self.count] }

        deinit { buffers.forEach { $0.deallocate() } }
    }
}
