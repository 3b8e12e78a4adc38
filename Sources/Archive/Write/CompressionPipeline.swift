// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemIO

/// Compresses members on all cores and hands them on in the order they were given.
///
/// Bounded: `submit` blocks while as many members, or bytes, are under way as there may be, so memory does not grow with the data.
final class CompressionPipeline {
    /// Tar bytes that shall become a member.
    struct Work: Sendable {
        var tar: [UInt8]
        /// Whether the digest of the tar bytes is wanted, too: for chunks.
        var wantsContent = false
        /// The same chunk in the backup before; equal content is not compressed again.
        var known: ArchiveIndex.Member?
    }

    /// A compressed member with everything the index says of it.
    struct NewMember: Sendable {
        let member: GzipMember
        let digest: Digest
        let checksum: CRC64
        let content: Digest?
    }

    enum Result: Sendable {
        case new(NewMember)
        /// A member of the backup before.
        case stored(ArchiveIndex.Member)
    }

    private let crew: WorkCrew<(number: Int, work: Work), (number: Int, result: Result)>
    /// Members under way at most, and bytes of what they are made of: a large one for each thread, and the next.
    private let limits: (members: Int, bytes: Int)
    private let deliver: (Result) throws -> Void
    /// What came before its turn.
    private var done: [Int: Result] = [:]
    private var sizes: [Int: Int] = [:]
    private var underWay = 0
    private var submitted = 0
    private var delivered = 0
    private var failure: (any Error)?

    /// - Parameters:
    ///   - alignment: of the members' lengths, in bytes.
    ///   - deliver: called on the submitting thread, once a member, in order.
    init(threads count: Int, level: UInt32, alignment: Int, deliver: @escaping (Result) throws -> Void) throws {
        limits = (4 * count, (count + 1) * ArchiveLayout.chunkSize)
        self.deliver = deliver
        crew = try WorkCrew(threads: count, name: "compress") {
            let compressor = GzipCompressor(level: level)
            return { (number: $0.number, result: try Self.compress($0.work, compressor, alignment)) }
        }
    }

    func submit(_ work: Work) throws {
        if let failure { throw failure }
        let number = submitted
        submitted += 1
        sizes[number] = work.tar.count
        underWay += work.tar.count
        try take(crew.submit((number, work)))
        while isFull { try take(crew.outcomes()) }
    }

    /// A member that needs no work keeps its place among those that do.
    func pass(_ member: ArchiveIndex.Member) throws {
        if let failure { throw failure }
        let number = submitted
        submitted += 1
        if number == delivered {
            // Nothing is under way: a whole archive of unchanged members costs no locks, and no place to wait in.
            return try handOn(.stored(member))
        }
        done[number] = .stored(member)
        while isFull { try take(crew.outcomes()) }
    }

    /// Hands on whatever is still under way.
    func drain() throws {
        if let failure { throw failure }
        while delivered < submitted { try take(crew.outcomes()) }
    }

    private var isFull: Bool {
        submitted - delivered >= limits.members || (underWay >= limits.bytes && submitted > delivered)
    }

    private func take(_ outcomes: [(number: Int, result: Result)]) throws {
        for outcome in outcomes { done[outcome.number] = outcome.result }
        while let result = done.removeValue(forKey: delivered) {
            underWay -= sizes.removeValue(forKey: delivered) ?? 0
            try handOn(result)
        }
    }

    private func handOn(_ result: Result) throws {
        delivered += 1
        do { try deliver(result) } catch {
            // The member is gone: whoever asks again must hear why, not wait for it.
            failure = error
            throw error
        }
    }

    private static func compress(
        _ work: Work, _ compressor: GzipCompressor, _ alignment: Int
    ) throws(ArchiveError) -> Result {
        let content = work.wantsContent ? SHA256.digest(of: work.tar) : nil
        if let content, let known = work.known, content == known.content { return .stored(known) }
        let member = try compressor.member(of: work.tar, alignment: alignment)
        var hash = SHA256()
        var checksum = CRC64()
        member.forEachPiece { piece in
            hash.update(piece)
            checksum.update(piece)
        }
        return .new(NewMember(member: member, digest: hash.finish(), checksum: checksum, content: content))
    }
}
