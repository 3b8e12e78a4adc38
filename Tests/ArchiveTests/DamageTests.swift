// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import TestSupport
import Testing
import Wording

@Suite("Damage is found before anybody relies on the archive")
struct DamageTests {
    /// An archive of many small members, and copies of it with something done to them.
    private struct Subject {
        let scratch: Scratch
        let original: FilePath
        let copy: FilePath
        let bytes: [UInt8]
        let summary: ArchiveSummary
        let members: [ArchiveIndex.Member]

        init() throws {
            scratch = try Scratch()
            let tree = scratch.path.appending("tree")
            try Backups.makeManyMembers(tree)
            original = scratch.path.appending("b.tar.gz")
            copy = scratch.path.appending("copy.tar.gz")
            summary = try Backups.archive(tree, to: original).summary
            bytes = try OpenFile(original, .read).readAll()
            members = try IndexedArchive(original).readIndex().members
        }

        func place(_ changed: some Collection<UInt8>) throws {
            if try FileStatus.ifPresent(copy) != nil { try Directory.remove(copy) }
            try OpenFile(copy, .createNew(mode: 0o600)).write(Array(changed))
        }

        func stored() throws -> Refusal? {
            try Refusal.of { try StoredFileVerifier.verify(copy, size: summary.size, digest: summary.digest) }
        }

        func content() throws -> Refusal? {
            try Refusal.of { _ = try ContentVerifier().verify(TarGzipReader(copy)) }
        }

        func indexed() throws -> Refusal? {
            try Refusal.of {
                let archive = try IndexedArchive(copy)
                if let first = try ArchiveCheck(archive, threads: 2).run().first {
                    throw ArchiveError.damaged(
                        archive: "", offset: first.offset, reason: .init(zh: "member", en: "member"))
                }
            }
        }
    }

    @Test("one flipped bit, anywhere, even where gzip keeps bytes that mean nothing")
    func flips() throws {
        let subject = try Subject()
        var random = SeededRandom(21)
        var places = (0..<TestForm.pick(short: 200, long: 1000)).map { _ in
            Int(random.next() % UInt64(subject.bytes.count))
        }
        // Every header byte and the first bits of the data of some members, and the whole footer but its zeros.
        for member in [subject.members[0], subject.members[3], subject.members[subject.members.count - 1]] {
            places += (0..<14).map { Int(member.offset) + $0 }
            places += (1...9).map { Int(member.offset + member.length) - $0 }
        }
        places += (0..<14).map { Int(subject.summary.indexOffset) + $0 }
        places += (subject.bytes.count - 1101)..<(subject.bytes.count - 1020)
        places += (subject.bytes.count - 10)..<subject.bytes.count
        for place in places {
            var changed = subject.bytes
            changed[place] ^= 1 << UInt8(random.next() % 8)
            try subject.place(changed)
            #expect(try subject.stored() == .damaged, "byte \(place)")
            #expect(try subject.content() != nil, "byte \(place) of \(changed.count)")
            #expect(try subject.indexed() != nil, "byte \(place)")
        }
    }

    @Test("a flip is reported with the member's offset and the files in it")
    func names() throws {
        let subject = try Subject()
        for member in subject.members {
            var changed = subject.bytes
            changed[Int(member.offset + member.length / 2)] ^= 0x40
            try subject.place(changed)
            let error = #expect(throws: ArchiveError.self) {
                try StoredFileVerifier.verify(subject.copy, size: subject.summary.size, digest: subject.summary.digest)
            }
            guard case .damaged(_, let offset, let reason)? = error else { continue }
            #expect(offset == member.offset)
            if let path = member.entries.first?.entry.path { #expect(reason.english.contains(path.description)) }
            if member.kind == .chunk { #expect(reason.english.contains("artifacts/")) }
        }
    }

    @Test("a flip in the footer is damage at the footer, not a short file")
    func footer() throws {
        let subject = try Subject()
        var changed = subject.bytes
        changed[changed.count - 1080] ^= 1
        try subject.place(changed)
        #expect(try subject.stored() == .damaged)
        #expect(try subject.content() == .damaged)
    }

    @Test("a cut at every member boundary, which gzip and tar do not see, and at other places")
    func cuts() throws {
        let subject = try Subject()
        var places = subject.members.map { Int($0.offset) }
        places += [Int(subject.summary.indexOffset), subject.bytes.count - 1101, 0, 1, subject.bytes.count - 1]
        var random = SeededRandom(22)
        places += (0..<60).map { _ in Int(random.next() % UInt64(subject.bytes.count)) }
        for place in places {
            try subject.place(subject.bytes[..<place])
            #expect(try subject.stored() == .truncated, "\(place)")
            #expect(try subject.content() == .truncated, "\(place)")
            #expect(try subject.indexed() == .truncated, "\(place)")
        }
    }

    @Test("a member taken out, twice there, or two of them exchanged")
    func shuffled() throws {
        let subject = try Subject()
        let bytes = subject.bytes
        func range(_ number: Int) -> ArraySlice<UInt8> {
            let member = subject.members[number]
            return bytes[Int(member.offset)..<Int(member.offset + member.length)]
        }
        for number in 0..<(subject.members.count - 1) {
            let (one, two) = (range(number), range(number + 1))
            let before = bytes[..<one.startIndex]
            let after = bytes[two.endIndex...]
            for changed in [before + two + after, before + one + one + two + after, before + two + one + after] {
                // Two chunks of the same bytes may change places: nothing has happened then.
                if Array(changed) == bytes { continue }
                try subject.place(changed)
                #expect(try subject.stored() != nil, "member \(number)")
                #expect(try subject.content() != nil, "member \(number)")
                #expect(try subject.indexed() != nil, "member \(number)")
            }
        }
    }

    @Test("zeros, garbage, a second archive behind the first, zeros between two members")
    func additions() throws {
        let subject = try Subject()
        let bytes = subject.bytes
        let middle = Int(subject.members[2].offset)
        for (name, changed) in [
            ("garbage", bytes + Array("garbage".utf8)), ("twice", bytes + bytes), ("half a magic", bytes + [0x1f]),
            ("a gap of zeros", bytes[..<middle] + [UInt8](repeating: 0, count: 4096) + bytes[middle...]),
        ] {
            try subject.place(changed)
            #expect(try subject.stored() == .damaged, "\(name)")
            #expect(try subject.content() != nil, "\(name)")
            #expect(try subject.indexed() == .truncated, "\(name)")
        }
        // Copying to a tape or a block device pads with zeros; gzip and tar accept that, and so may we.
        try subject.place(bytes + [UInt8](repeating: 0, count: 4096))
        #expect(try subject.stored() == .damaged)
    }

    @Test("a footer made to overflow the arithmetic is refused and does not end the process")
    func hostileFooter() throws {
        let scratch = try Scratch()
        let archive = scratch.path.appending("b.tar.gz")
        for (offset, length) in [
            ("0xffffffffffffffff", "0xffffffffffffffff"), ("0xfffffffffffff000", "0x2000"), ("0", "0x7fffffffffffffff"),
            ("0x8000000000000000", "0x8000000000000000"), ("0", "0"),
        ] {
            try Tool.mustRun(
                "python3",
                [
                    "-c",
                    """
                    import struct, sys, zlib
                    body = bytes(1024)
                    extra = b'MB' + struct.pack('<HQQ', 48, \(offset), \(length)) + bytes(32)
                    member = b'\\x1f\\x8b\\x08\\x04' + bytes(5) + b'\\xff' + struct.pack('<H', len(extra)) + extra
                    member += b'\\x01' + struct.pack('<HH', 1024, 1024 ^ 0xffff) + body
                    member += struct.pack('<II', zlib.crc32(body), 1024)
                    open(sys.argv[1], 'wb').write(member * 2)
                    """, archive.string,
                ])
            #expect(try Refusal.of { _ = try IndexedArchive(archive) } != nil)
        }
    }
}
