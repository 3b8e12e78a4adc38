// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Reads a finished archive back from the disk: every member against the digest of what was meant to be there, and
/// the digest of the whole file, on two threads.
struct StoredBytesCheck {
    private let file: OpenFile
    private let places: [MemberOutput.MemberPlace]

    /// - Parameter places: without gaps, from the first byte of the file to its last.
    init(_ file: OpenFile, _ places: [MemberOutput.MemberPlace]) {
        self.file = file
        self.places = places
    }

    /// - Returns: the SHA-256 of the whole file.
    func run() throws -> Digest {
        // Pages that were just written would only prove that memory works.
        file.advise(.willNotNeed)
        file.advise(.sequential)
        let whole = try WholeDigest()
        var position: UInt64 = 0
        var member = MemberDigest(places: places[...])
        while true {
            let piece = whole.emptyBuffer()
            let got = try file.read(into: piece, at: position)
            guard got > 0 else { break }
            let bytes = UnsafeRawBufferPointer(rebasing: piece[..<got])
            whole.submit(count: got)
            if let bad = member.update(bytes) { throw fault(bad) }
            whole.release()
            file.advise(.willNotNeed, offset: position, length: UInt64(got))
            position += UInt64(got)
        }
        guard member.isComplete else {
            throw ArchiveError.truncated(
                archive: file.path.string, expected: places.last.map { $0.offset + $0.length }, found: position)
        }
        return whole.finish()
    }

    private func fault(_ place: MemberOutput.MemberPlace) -> ArchiveError {
        if let source = place.source { return .previousDamaged(archive: file.path.string, offset: source) }
        return .damaged(
            archive: file.path.string, offset: place.offset, reason: "the disk does not hold what was written to it")
    }
}

/// Digests of consecutive members over a stream of bytes.
private struct MemberDigest: ~Copyable {
    private var places: ArraySlice<MemberOutput.MemberPlace>
    private var left: UInt64
    private var hash = SHA256()

    init(places: ArraySlice<MemberOutput.MemberPlace>) {
        self.places = places
        left = places.first?.length ?? 0
    }

    var isComplete: Bool { places.isEmpty }

    /// - Returns: the first member that is not what it must be.
    mutating func update(_ bytes: UnsafeRawBufferPointer) -> MemberOutput.MemberPlace? {
        var rest = bytes
        while !rest.isEmpty, let place = places.first {
            let count = Int(min(left, UInt64(rest.count)))
            hash.update(UnsafeRawBufferPointer(rebasing: rest[..<count]))
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            left -= UInt64(count)
            guard left == 0 else { continue }
            guard hash.next() == place.digest else { return place }
            places.removeFirst()
            left = places.first?.length ?? 0
        }
        return nil
    }
}
