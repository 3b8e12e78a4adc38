// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Compresses members on all cores and hands them on in the order they were given.
///
/// Bounded: `submit` blocks while `4 × threads` members are under way, so memory does not grow with the data.
final class CompressionPipeline {
    /// Tar bytes that shall become a member.
    struct Work {
        var tar: [UInt8]
        /// Whether the digest of the tar bytes is wanted, too: for chunks.
        var wantsContent = false
        /// The same chunk in the backup before; equal content is not compressed again.
        var known: ArchiveIndex.Member?
    }

    /// A compressed member with everything the index says of it.
    struct NewMember {
        let bytes: [UInt8]
        let digest: Digest
        let checksum: CRC64
        let content: Digest?
    }

    enum Result {
        case new(NewMember)
        /// A member of the backup before.
        case stored(ArchiveIndex.Member)
    }

    private enum Slot {
        case raw(Work)
        case taken
        case done(Result)
    }

    private struct State {
        var slots: [Int: Slot] = [:]
        /// Numbers of the slots nobody has begun with.
        var waiting: [Int] = []
        var failure: (any Error)?
        var isClosed = false
    }

    private let state = Monitor(State())
    private let threads: [WorkerThread]
    private let limit: Int
    private let deliver: (Result) throws -> Void
    private var submitted = 0
    private var delivered = 0

    /// - Parameters:
    ///   - alignment: of the members' lengths, in bytes.
    ///   - deliver: called on the submitting thread, once a member, in order.
    init(threads count: Int, level: UInt32, alignment: Int, deliver: @escaping (Result) throws -> Void) throws {
        limit = 4 * count
        self.deliver = deliver
        let state = state
        threads = try WorkerThread.start(
            count, named: "compress", orElse: { state.withLock { $0.isClosed = true } }
        ) {
            Self.work(state, GzipCompressor(level: level), alignment)
        }
    }

    deinit {
        state.withLock { $0.isClosed = true }
        threads.forEach { $0.join() }
    }

    func submit(_ work: Work) throws {
        let number = submitted
        submitted += 1
        state.withLock {
            $0.slots[number] = .raw(work)
            $0.waiting.append(number)
        }
        while submitted - delivered >= limit { try deliverNext() }
    }

    /// A member that needs no work keeps its place among those that do.
    func pass(_ member: ArchiveIndex.Member) throws {
        let number = submitted
        submitted += 1
        if number == delivered {
            // Nothing is under way: a whole archive of unchanged members costs no locks.
            delivered += 1
            return try deliver(.stored(member))
        }
        state.withLock { $0.slots[number] = .done(.stored(member)) }
        while submitted - delivered >= limit { try deliverNext() }
    }

    /// Hands on whatever is still under way.
    func drain() throws {
        while delivered < submitted { try deliverNext() }
    }

    private func deliverNext() throws {
        let number = delivered
        let result = try state.wait { state -> Swift.Result<Result, any Error>? in
            if let failure = state.failure { return .failure(failure) }
            guard case .done(let result)? = state.slots[number] else { return nil }
            state.slots[number] = nil
            return .success(result)
        }.get()
        do { try deliver(result) } catch {
            // The member is gone: whoever asks again must hear why, not wait for it.
            state.withLock { $0.failure = error }
            throw error
        }
        delivered += 1
    }

    private static func work(_ state: Monitor<State>, _ compressor: GzipCompressor, _ alignment: Int) {
        while true {
            let job = state.wait { state -> (Int, Work)?? in
                if state.isClosed { return .some(nil) }
                guard let number = state.waiting.first, case .raw(let work)? = state.slots[number] else { return nil }
                state.waiting.removeFirst()
                state.slots[number] = .taken
                return (number, work)
            }
            guard let (number, work) = job else { return }
            do {
                let result = try compress(work, compressor, alignment)
                state.withLock { $0.slots[number] = .done(result) }
            } catch {
                state.withLock { if $0.failure == nil { $0.failure = error } }
            }
        }
    }

    private static func compress(
        _ work: Work, _ compressor: GzipCompressor, _ alignment: Int
    ) throws(ArchiveError) -> Result {
        let content = work.wantsContent ? SHA256.digest(of: work.tar) : nil
        if let content, let known = work.known, content == known.content { return .stored(known) }
        var outcome: Swift.Result<[UInt8], ArchiveError>?
        work.tar.withUnsafeBytes { bytes in
            do throws(ArchiveError) {
                outcome = .success(try compressor.member(of: bytes, alignment: alignment))
            } catch { outcome = .failure(error) }
        }
        guard let outcome else { throw .compression(reason: "no result") }
        let member = try outcome.get()
        return .new(
            NewMember(bytes: member, digest: SHA256.digest(of: member), checksum: CRC64(of: member), content: content))
    }
}
