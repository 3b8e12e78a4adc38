// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import TestSupport
import Testing

@testable import Backup

@Suite(
    "Damage is looked for in every backup that may share the bytes, also where nobody knows which do", .besideThePool)
struct UnknownChainTests {
    private func backup(
        _ live: LiveStackFixture, _ kind: BackupName.Kind = .compressed, run: Int, fullEvery: Int = 1
    ) throws -> BackupName {
        try live.add(runs: run...run)
        try live.letStampsAge()
        let options = BackupJob.Options(
            kind: kind, retention: .count(100), fullEvery: fullEvery, scrubSeconds: 0)
        return try BackupJob(live.workspace(), options: options, version: "test").run().name
    }

    /// As if nobody knew what it shares, and nobody had read it for a day.
    private func note(
        _ live: LiveStackFixture, _ name: BackupName, unknown: Bool = false, adopted: Bool = false
    ) throws {
        var sidecar = try live.sidecar(name)
        if unknown { sidecar.chain = Chains.unknown }
        sidecar.adopted = adopted
        sidecar.verifiedAt -= 86_400
        try sidecar.write(in: live.folder)
    }

    private func wasRead(_ live: LiveStackFixture, _ name: BackupName) throws -> Bool {
        try live.sidecar(name).verifiedAt > LocalTime.now().epoch - 3600
    }

    @Test("damage in one of an unknown chain: those of other chains are read, adopted ones, too")
    func damageInUnknown() throws {
        let live = try LiveStackFixture("unknown_damaged")
        let names = try (41...43).map { try backup(live, run: $0) }
        let folder = try backup(live, .uncompressed, run: 44)
        try note(live, names[0], unknown: true)
        try note(live, names[1])
        try note(live, names[2], adopted: true)
        try note(live, folder)
        try live.damage(names[0])
        try live.damage(names[1])
        #expect(throws: ArchiveError.self) { try VerifyJob(live.workspace()).run(names[0].string) }
        #expect(try live.item(names[1]).status == .corrupt)
        #expect(try wasRead(live, names[2]))
        #expect(try !wasRead(live, folder), "a folder shares no bytes with an archive")
    }

    @Test("damage in one of a known chain: those of unknown chains are read, adopted ones, too")
    func damageInKnown() throws {
        let live = try LiveStackFixture("unknown_others")
        let names = try (41...43).map { try backup(live, run: $0) }
        try note(live, names[0])
        try note(live, names[1], unknown: true, adopted: true)
        try note(live, names[2])
        try live.damage(names[0])
        try live.damage(names[1])
        #expect(throws: ArchiveError.self) { try VerifyJob(live.workspace()).run(names[0].string) }
        #expect(try live.item(names[1]).status == .corrupt)
        #expect(try !wasRead(live, names[2]), "it is known to be independent")
    }

    @Test("folders of unknown chains are read where they have files in common", arguments: [0, 1])
    func folders(unknown: Int) throws {
        let live = try LiveStackFixture("unknown_folders_\(unknown)")
        let first = try backup(live, .uncompressed, run: 41)
        let second = try backup(live, .uncompressed, run: 42, fullEvery: 7)
        #expect(try live.sidecar(second).chain == first.string)
        let third = try backup(live, .uncompressed, run: 43)
        for (number, name) in [first, second].enumerated() { try note(live, name, unknown: number == unknown) }
        try note(live, third)
        try Shell.sh(
            "printf x | dd of='\(live.folder.path)/\(first)/artifacts/1/run7/artifacts/model.bin' bs=1 seek=99 conv=notrunc status=none"
        )
        #expect(throws: ArchiveError.self) { try VerifyJob(live.workspace()).run(first.string) }
        #expect(try live.item(second).status == .corrupt, "it has the same file")
        #expect(try !wasRead(live, third), "no file of it is theirs")
    }
}
