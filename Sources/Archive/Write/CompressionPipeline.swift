// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Compresses members on all cores and writes them in the order they were given.
///
/// Bounded: `submit` blocks while `2 × threads` members are under way, so memory does not grow with the data.
final class CompressionPipeline {
    /// A member on its way: tar bytes in, compressed bytes out.
    private enum Slot {
        case raw([UInt8])
        case taken
        case done([UInt8], Digest)
    }

    private struct State {
        var slots: [Int: Slot] = [:]
        var nextToCompress = 0
        var failure: (any Error)?
        var isClosed = false
    }

    private let state = Monitor(State())
    private let threads: [WorkerThread]
    private let limit: Int
    private let write: ([UInt8], Digest) throws -> Void
    private var submitted = 0
    private var written = 0

    /// - Parameter write: called on the submitting thread, once a member, in order.
    init(threads count: Int, level: UInt32, write: @escaping ([UInt8], Digest) throws -> Void) throws {
        limit = 2 * count
        self.write = write
        let state = state
        do {
            threads = try (0..<count).map { number in
                try WorkerThread("compress-\(number)") { Self.work(state, level: level) }
            }
        } catch {
            // No `deinit` runs for what was never made: the threads that did start are told here.
            state.withLock { $0.isClosed = true }
            throw error
        }
    }

    deinit {
        state.withLock { $0.isClosed = true }
        threads.forEach { $0.join() }
    }

    func submit(_ tar: [UInt8]) throws {
        let number = submitted
        submitted += 1
        state.withLock { $0.slots[number] = .raw(tar) }
        while submitted - written >= limit { try writeNext() }
    }

    /// Writes whatever is still under way.
    func drain() throws {
        while written < submitted { try writeNext() }
    }

    private func writeNext() throws {
        let number = written
        let (bytes, digest) = try state.wait { state -> Result<([UInt8], Digest), any Error>? in
            if let failure = state.failure { return .failure(failure) }
            guard case .done(let bytes, let digest)? = state.slots[number] else { return nil }
            state.slots[number] = nil
            return .success((bytes, digest))
        }.get()
        do { try write(bytes, digest) } catch {
            // The member is gone: whoever asks again must hear why, not wait for it.
            state.withLock { $0.failure = error }
            throw error
        }
        written += 1
    }

    private static func work(_ state: Monitor<State>, level: UInt32) {
        let compressor = GzipCompressor(level: level)
        while true {
            let job = state.wait { state -> (Int, [UInt8])?? in
                if state.isClosed { return .some(nil) }
                let number = state.nextToCompress
                guard case .raw(let bytes)? = state.slots[number] else { return nil }
                state.slots[number] = .taken
                state.nextToCompress += 1
                return (number, bytes)
            }
            guard let (number, tar) = job else { return }
            do {
                let member = try tar.withUnsafeBytes { try compressor.member(of: $0) }
                let digest = SHA256.digest(of: member)
                state.withLock { $0.slots[number] = .done(member, digest) }
            } catch {
                state.withLock { if $0.failure == nil { $0.failure = error } }
            }
        }
    }
}
