// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Records are sealed, and bits that flip in them rule nothing", .besideThePool)
struct RecordSealTests {
    /// Changes text in a file, as flipped bits do: one is mended, of two nothing is believed.
    private func flip(_ path: FilePath, _ old: String, _ new: String) throws {
        let text = String(decoding: try OpenFile(path, .read).readAll(), as: UTF8.self)
        let changed = text.replacingOccurrences(of: old, with: new)
        try #require(changed != text, "\(old) is not in \(text)")
        try DurableFile.replace(path, with: Array(changed.utf8))
    }

    @Test("whichever bit flips in a record, it is what it was")
    func mended() throws {
        let root = try TemporaryFolder("seal_records")
        let folder = BackupFolder(root.path)
        try folder.prepare()
        let id = "20261126_020000_7f3a9c01"
        let part = KeptPart(id: id, backup: "b", mode: .full, replacedAt: 5, coveredBy: "b", coveredUntil: "1692")
        try part.write(in: folder)
        let path = KeptPart.path(of: id, in: folder)
        let bytes = try OpenFile(path, .read).readAll()
        for index in stride(from: 0, to: bytes.count, by: 41) {
            var flipped = bytes
            flipped[index] ^= 1 << UInt8(index % 8)
            try DurableFile.replace(path, with: flipped)
            #expect(try KeptPart.read(id, in: folder) == part, "byte \(index)")
        }
        // Before another one flips it is written again.
        var flipped = bytes
        flipped[bytes.count / 2] ^= 4
        try DurableFile.replace(path, with: flipped)
        #expect(try SealedRecord.mend(path))
        #expect(try OpenFile(path, .read).readAll() == bytes)
        #expect(try !SealedRecord.mend(path))
        try flip(path, "1692", "3693")
        #expect(throws: BackupError.keptRecordDamaged(id: id, path: path.string)) {
            try KeptPart.read(id, in: folder)
        }
    }

    @Test("numbers of which a bit flipped are none")
    func numbers() throws {
        let root = try TemporaryFolder("seal_numbers")
        let path = root.path.appending("numbers")
        for numbers in [[], [7], Array(1...1000)] as [[UInt64]] {
            try SealedNumbers.write(numbers, to: path)
            #expect(try SealedNumbers.read(at: path) == Set(numbers))
            let bytes = try OpenFile(path, .read).readAll()
            for index in stride(from: 0, to: bytes.count, by: 11) {
                var flipped = bytes
                flipped[index] ^= 16
                try DurableFile.replace(path, with: flipped)
                #expect(try SealedNumbers.read(at: path) == nil)
                try DurableFile.replace(path, with: Array(bytes.prefix(index)))
                #expect(try SealedNumbers.read(at: path) == nil)
            }
        }
    }

    @Test(
        "a part whose record says that a backup holds more than it does stays",
        arguments: ["coveredUntil", "coveredBy"])
    func cover(key: String) throws {
        let live = try LiveStackFixture("seal_cover")
        let name = try live.backup().name.string
        try live.add(runs: 30...30)
        let kept = try #require(try live.restore(name, force: true).kept)
        var part = try #require(try KeptPart.read(kept.id, in: live.folder))
        // What is younger than the backup is in it, as two flipped bits make it say.
        (part.coveredBy, part.coveredUntil) = (name, "9")
        try part.write(in: live.folder)
        let path = KeptPart.path(of: kept.id, in: live.folder)
        if key == "coveredBy" { try flip(path, "\"coveredBy\"", "\"coveredJz\"") }
        if key == "coveredUntil" { try flip(path, "\"9\"", "\"999999999\"") }
        try live.bounded(nil, keepSeconds: 0).holdingStack("test") { _ in }
        #expect(try Databases(live.database).exists(try #require(kept.database)))
        #expect(try live.backup(retention: .count(1)).removed.isEmpty)
    }

    @Test("a journal of a half swap of which bits flipped is refused by name, and finished when it is right again")
    func journal() throws {
        let live = try LiveStackFixture("seal_journal")
        let name = try live.backup().name.string
        try live.add(runs: 30...30)
        let journal = try live.interruptRestore(of: name, swappingDatabases: true)
        let path = live.folder.state.appending("restore-journal-\(try #require(journal.id)).json")
        let right = try OpenFile(path, .read).readAll()
        for (old, new) in [
            ("\"plan\"", "\"p1ao\""), ("\"seal\"", "\"sealing\""), ("\"committing\"", "\"preparing\""),
            ("\"liveDatabase\" : \"", "\"liveDatabase\" : \"zz"), ("\"format\" : 2", "\"format\" : 1"),
        ] {
            try flip(path, old, new)
            let error = #expect(throws: BackupError.self) { try live.recover() }
            #expect(try #require(error).explanation.english.contains(path.string))
            #expect(throws: BackupError.self) { try live.backup() }
            try DurableFile.replace(path, with: right)
        }
        // One flipped bit is mended.
        try flip(path, "\"plan\"", "\"plao\"")
        try live.recover()
        #expect(try !live.rows().contains("run30"))
        #expect(try !live.files().contains("run30/"))
        try live.expectNothingLeftBehind()
    }

    @Test("the word of what was to be published does not make a suspicious backup a good one")
    func intent() throws {
        let live = try LiveStackFixture("seal_intent")
        let good = try live.backup().name
        try Shell.sh("rm -r '\(live.artifacts)/1'")
        let name = try live.backup().name
        let sidecar = try #require(try live.item(name).sidecar)
        try #require(sidecar.status == .suspicious)
        try PublicationIntent(name, in: live.folder).write(sidecar)
        try Directory.remove(live.folder.path.appending(name.sidecar))
        let path = live.folder.state.appending("publishing-\(name).json")
        try flip(path, "\"suspicion\"", "\"suspiziom\"")
        try live.backup(retention: .count(100))
        #expect(try live.item(good).status == .completed)
        let judged = try #require(try live.item(name).sidecar)
        #expect(judged.status == .suspicious && !judged.adopted)
    }

    @Test("of a damaged list of shared files any may be shared: a write in place is still put right by an undo")
    func sharedList() throws {
        let live = try LiveStackFixture("seal_shared")
        let name = try live.backup().name.string
        try Shell.sh(
            "echo 'new only' > '\(live.artifacts)/1/run3/artifacts/model.bin'; touch -d '1 hour ago' '\(live.artifacts)/1/run3/artifacts/model.bin'"
        )
        let before = try live.files()
        let kept = try #require(try live.restore(name, force: true).kept)
        let list = live.folder.state.appending("kept-\(kept.id).shared")
        try Shell.sh("printf x | dd of='\(list)' bs=1 seek=3 conv=notrunc status=none")
        // What was never shared is what it was, also where something touched it since; that nothing can tell so is said.
        try Shell.sh("chmod -R g+w '\(live.artifacts)'")
        // Restores go on, and undoes see what was written.
        try Shell.sh(
            "printf Z | dd of='\(live.artifacts)/1/run7/artifacts/model.bin' bs=1 seek=5 conv=notrunc status=none")
        #expect(throws: BackupError.self) { try live.undo() }
        let undone = try live.undo(force: true)
        #expect(try live.files() == before)
        let told = undone.warnings.filter { $0.english.contains("may have been overwritten") }
        #expect(told.count == 1 && told[0].english.contains("run3"), "\(undone.warnings)")
        try live.restore(name, force: true)
    }
}
