// SPDX-License-Identifier: Apache-2.0

import Archive
import Foundation
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite("Which backups go")
struct RetentionChoiceTests {
    private static let stack = StackIdentity(system: "1", database: "mlflow", artifacts: nil)
    private static let now = LocalTime(epoch: 1_800_000_000)

    private let root: TemporaryFolder
    private let folder: BackupFolder

    init() throws {
        root = try TemporaryFolder("choice")
        folder = BackupFolder(root.path)
        try folder.prepare()
    }

    /// - Parameters:
    ///   - day: how many days ago; negative for the future.
    ///   - same: the name whose file it is another name of.
    @discardableResult
    private func place(
        _ day: Int, chain: String? = nil, same: String? = nil, generation: Int? = nil, cloned: UInt64? = nil,
        status: Sidecar.Status = .completed, read: Int = 1, lacks: [String] = [], since experiment: Int64? = nil,
        newest: Int64? = nil
    ) throws -> String {
        let created = LocalTime(epoch: Self.now.epoch - Int64(day) * 86_400)
        let name = "mlflow_backup_\(created.stamp).tar.gz"
        if let same {
            try Directory.link(folder.path.appending(same), as: folder.path.appending(name))
        } else {
            try DurableFile.replace(folder.path.appending(name), with: [1, 2, 3])
        }
        var sidecar = Sidecar(
            name: name, type: .compressed, status: status, reason: nil, size: 3, sha256: "", indexOffset: 0,
            createdAt: created.epoch, verifiedAt: Self.now.epoch - Int64(read) * 86_400, adopted: false,
            durationSeconds: nil, summary: nil)
        sidecar.readFile = FileMark.brief(
            folder.path.appending(name), try .of(folder.path.appending(name)))
        if !lacks.isEmpty || newest != nil {
            sidecar.summary = try JSONDecoder().decode(
                Manifest.Summary.self, from: Data(#"{"files":1,"content_bytes":1,"skipped":0}"#.utf8))
            sidecar.summary?.lack = Lack(
                lacks.map { .init(name: $0, experiment: experiment) }, newestExperiment: newest)
        }
        sidecar.chain = chain
        sidecar.generation = generation
        sidecar.clonedBytes = cloned
        if status == .suspicious { sidecar.suspicion = .init(measure: .files, found: 0, expected: 9, than: "x") }
        try sidecar.write(in: folder)
        return name
    }

    private func choose(
        _ rule: RetentionRule, pinned: Set<String> = [], justMade: String? = nil
    ) throws -> RetentionChoice {
        let items = try Catalogue(folder).items()
        return RetentionChoice(
            items, by: rule,
            try Ownership(of: Self.stack, among: items, in: folder, now: Moment(epoch: Self.now.epoch, boot: nil)),
            pinned: pinned, justMade: justMade.flatMap { BackupName($0) }, now: Self.now)
    }

    private func going(_ rule: RetentionRule, pinned: Set<String> = [], justMade: String? = nil) throws -> [String] {
        try choose(rule, pinned: pinned, justMade: justMade).going.map(\.name.string)
    }

    @Test("an expired one stays while it is the only other copy, and goes when there is a second")
    func secondCopy() throws {
        let old = try place(9, chain: "a")
        let older = try place(10, chain: "b")
        for day in 0..<7 { try place(day, chain: "c") }
        #expect(try going(.days(7)) == [older])
        #expect(try choose(.days(7)).staying.map(\.name.string).contains(old))
        #expect(try going(.days(1)).count == 8, "who keeps one wants no second")
    }

    @Test("names of one file, and archives that share blocks, are one copy")
    func physicalCopies() throws {
        let first = try place(8, chain: "other")
        var last = try place(6)
        for day in (0..<6).reversed() { last = try place(day, same: last) }
        #expect(try going(.days(7)).isEmpty, "\(first) is the second copy")
    }

    @Test("0.1.0 wrote no chains: they are told from file, generation and cloned bytes")
    func derivedChains() throws {
        let whole = try place(9, generation: 0, cloned: 0)
        let linked = try place(8, same: whole, generation: 1, cloned: 3)
        let cloned = try place(7, generation: 2, cloned: 2)
        let copied = try place(6, generation: 3, cloned: 0)
        let after = try place(5, generation: 4, cloned: 1)
        let items = try Catalogue(folder).items()
        let chains = Chains(items)
        let names = Dictionary(uniqueKeysWithValues: items.map { ($0.name.string, chains.chain(of: $0)) })
        #expect(names == [whole: whole, linked: whole, cloned: whole, copied: copied, after: copied])
        try Chains.settle(in: folder)
        try Catalogue(folder).remove(try Catalogue(folder).item(named: whole))
        let later = try Catalogue(folder).items()
        #expect(Chains(later).chain(of: try Catalogue(folder).item(named: cloned)) == whole)
        #expect(later.count == 4)
    }

    private func loseSidecar(of name: String) throws {
        try Directory.remove(folder.path.appending(name + BackupName.sidecarSuffix))
    }

    private func chains() throws -> [String: String] {
        let items = try Catalogue(folder).items()
        let chains = Chains(items)
        return Dictionary(uniqueKeysWithValues: items.map { ($0.name.string, chains.chain(of: $0)) })
    }

    @Test("a lost sidecar of the oldest name of a file makes no independent copy of what shares its bytes")
    func lostSidecarOfOldestName() throws {
        let first = try place(4, chain: "first")
        let whole = try place(3, chain: "whole")
        let cloned = try place(2, chain: "whole")
        let linked = try place(1, chain: "whole", same: cloned)
        try loseSidecar(of: cloned)
        let chain = try #require(try chains()[linked])
        #expect(chain == "whole")
        let next = try place(0, chain: chain)
        #expect(
            try chains() == [first: "first", whole: "whole", cloned: "whole", linked: "whole", next: "whole"])
        #expect(try !going(.count(2)).contains(first), "it is the only independent one")
    }

    @Test("what was written down while that was not so is one copy, too: a chain named after a name has its chain")
    func chainOfChain() throws {
        let whole = try place(3, chain: "whole")
        let cloned = try place(2, chain: "whole")
        let linked = try place(1, chain: "whole", same: cloned)
        try loseSidecar(of: cloned)
        let next = try place(0, chain: cloned)
        #expect(try chains() == [whole: "whole", cloned: "whole", linked: "whole", next: "whole"])
    }

    @Test("names without any sidecar, and names of one file whose sidecars contradict each other, prove nothing")
    func unknownChains() throws {
        let alone = try place(5, chain: "x")
        let linked = try place(4, chain: "x", same: alone)
        for name in [alone, linked] { try loseSidecar(of: name) }
        let one = try place(3, chain: "one")
        let other = try place(2, chain: "other", same: one)
        #expect(
            try chains() == [
                alone: Chains.unknown, linked: Chains.unknown, one: Chains.unknown, other: Chains.unknown,
            ])
    }

    @Test("where the newest may share bytes with any other, the second copy stays all the same")
    func newestUnknown() throws {
        let oldest = try place(9, chain: "a")
        let old = try place(8, chain: "b")
        let newest = try place(0, chain: Chains.unknown)
        #expect(try going(.count(1)) == [oldest, old], "who keeps one wants no second")
        // With one of them it may share its bytes, and not with both.
        try place(1, chain: Chains.unknown, same: newest)
        #expect(try going(.count(2)).isEmpty)
        #expect(try choose(.count(2)).staying.map(\.name.string).suffix(2) == [old, oldest])
        try place(2, chain: "c")
        #expect(try going(.count(3)) == [oldest], "two that are known are enough")
    }

    @Test("another file that may be independent stays where nothing is known to be")
    func mayBeIndependent() throws {
        let other = try place(8, chain: Chains.unknown, read: 9)
        let newest = try place(0, chain: "a")
        for day in 1...2 { try place(day, chain: "a") }
        let choice = try choose(.count(3))
        #expect(choice.going.isEmpty)
        #expect(
            choice.toRead(now: Self.now, since: LocalTime(epoch: Self.now.epoch + 60)).map(\.name.string) == [
                newest, other,
            ])
        try place(7, chain: "b")
        #expect(try going(.count(3)) == [other])
    }

    @Test("future ones neither count nor go; the one just made stays even when its clock was behind")
    func clocks() throws {
        let future = try (1...7).map { try place(-$0, chain: "f\($0)") }
        let made = try place(30, chain: "made")
        let old = try (10..<12).map { try place($0, chain: "o\($0)") }
        let choice = try choose(.count(2), justMade: made)
        #expect(choice.going.isEmpty)
        #expect(choice.ahead.map(\.name.string) == future.reversed())
        #expect(try going(.count(1), justMade: made) == [old[1]])
    }

    @Test("pinned ones stay and do not count; suspicious ones push out each other alone")
    func pinnedAndSuspicious() throws {
        let pinned = try place(0, chain: "p")
        let good = try (1...3).map { try place($0, chain: "g\($0)") }
        let odd = try (4...6).map { try place($0, chain: "s\($0)", status: .suspicious) }
        #expect(try going(.count(2), pinned: [pinned]) == [odd[2], good[2]])
        #expect(try going(.count(1), pinned: [pinned]) == [odd[2], odd[1], good[2], good[1]])
    }

    @Test(
        "before bytes go, the newest and the second copy are read, unless they were within the week; a lone copy is read now"
    )
    func reading() throws {
        let newest = try place(0, chain: "a", read: 0)
        let second = try place(3, chain: "b", read: 8)
        let third = try place(4, chain: "c", read: 8)
        let choice = try choose(.count(2))
        #expect(choice.going.map(\.name.string) == [third])
        let toRead = choice.toRead(now: Self.now, since: LocalTime(epoch: Self.now.epoch - 60))
        #expect(toRead.map(\.name.string) == [second])
        let lone = try choose(.count(1)).toRead(now: Self.now, since: LocalTime(epoch: Self.now.epoch + 60))
        #expect(lone.map(\.name.string) == [newest])
        try place(0, chain: "a", read: -3)
        let ahead = try choose(.count(2)).toRead(now: Self.now, since: Self.now)
        #expect(ahead.map(\.name.string) == [newest, second], "a reading in the future is none")
    }

    @Test(
        "BACKUP_FULL_EVERY stays below what is kept",
        arguments: [
            (RetentionRule.days(7), 7, 6), (.days(7), 3, 3), (.days(2), 7, 1), (.days(1), 7, 7), (.count(5), 30, 4),
            (.count(1), 7, 7), (.count(100), 7, 7),
        ])
    func fullEvery(rule: RetentionRule, wanted: Int, effective: Int) {
        #expect(rule.fullEvery(wanted) == effective)
    }

    @Test("partial ones push out partial ones, and no whole one")
    func partial() throws {
        let whole = try (8...10).map { try place($0, chain: "w\($0)") }
        let partial = try (0...7).map { try place($0, chain: "p\($0)", lacks: ["s3://bucket/a"]) }
        #expect(try going(.days(3)) == partial[3...].reversed())
        let staying = try choose(.days(3)).staying.map(\.name.string)
        #expect(staying == Array(partial[..<3]) + whole)
    }

    @Test("once they are whole again both go by their days")
    func wholeAgain() throws {
        let whole = try (8...10).map { try place($0, chain: "w\($0)") }
        let partial = try (3...7).map { try place($0, chain: "p\($0)", lacks: ["s3://bucket/a"]) }
        for day in 0...2 { try place(day, chain: "n\(day)") }
        #expect(Set(try going(.days(3))) == Set(whole + partial))
        #expect(try going(.days(4)).contains(whole[0]) == false, "the fourth day of whole ones")
    }

    @Test(
        "where one place more is missing, what still holds it stays; what could not be told stands in for nothing but its like"
    )
    func moreMissing() throws {
        let one = try (6...9).map { try place($0, chain: "a\($0)", lacks: ["/nas"]) }
        for day in 3...5 { try place(day, chain: "b\(day)", lacks: ["/nas", "s3://bucket/a"]) }
        let untold = try (0...2).map { try place($0, chain: "c\($0)", lacks: ["?"]) }
        #expect(
            try going(.days(1)) == [one[3], one[2], one[1]] + (try names(4...5)).reversed() + untold[1...].reversed())
    }

    private func names(_ days: ClosedRange<Int>) throws -> [String] {
        days.map { "mlflow_backup_\(LocalTime(epoch: Self.now.epoch - Int64($0) * 86_400).stamp).tar.gz" }
    }

    @Test("of those that hold what goes two copies stay, and are read before it goes; a whole one counts as one")
    func copiesOfPartial() throws {
        let old = try place(9, chain: "x", lacks: ["/nas"])
        let older = try place(10, chain: "y", lacks: ["/nas"])
        for day in 0..<7 { try place(day, chain: "same", read: 30, lacks: ["/nas"]) }
        #expect(try going(.days(7)) == [older])
        let choice = try choose(.days(7))
        #expect(choice.staying.map(\.name.string).contains(old))
        #expect(
            choice.toRead(now: Self.now, since: Self.now).map(\.name.string) == [try names(0...0)[0]],
            "the other one was read yesterday")
        // One that holds more is as good a second copy.
        try place(8, chain: "whole")
        #expect(Set(try going(.days(8))) == [older, old])
    }

    @Test("a place that did not exist when a backup was made is none that it holds")
    func newPlaces() throws {
        for day in (0...5).reversed() {
            let made = Int64(10 - day)
            try place(day, chain: "n\(day)", lacks: ["/tmp/ci-\(made)"], since: made, newest: made)
        }
        #expect(try going(.days(2)) == (try names(2...5)).reversed())
    }

    @Test("a place that is missing since yesterday, and whose experiment is older, keeps what may hold it")
    func oldPlace() throws {
        for day in 2...5 { try place(day, chain: "w\(day)", newest: 7) }
        for day in 0...1 { try place(day, chain: "p\(day)", lacks: ["s3://b/3"], since: 3, newest: 7) }
        #expect(try going(.days(1)) == (try names(3...5)).reversed() + (try names(1...1)))
    }
}
