// SPDX-License-Identifier: Apache-2.0

import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("What an undo puts right of files that both trees shared", .besideThePool)
struct PutRightTests {
    /// A restore of a backup that the live tree had changed nothing of: all its files are shared afterwards.
    private func restored(_ name: String, _ prepare: (LiveStackFixture) throws -> Void = { _ in }) throws
        -> (live: LiveStackFixture, archive: FilePath, kept: KeptPart)
    {
        let live = try LiveStackFixture(name)
        try prepare(live)
        try live.letStampsAge()
        let name = try live.backup().name.string
        try live.add(runs: 30...30)
        let kept = try #require(try live.restore(name, force: true).kept)
        return (live, live.folder.path.appending(name), kept)
    }

    private func damageList(_ live: LiveStackFixture, _ kept: KeptPart) throws {
        let list = live.folder.state.appending("kept-\(kept.id).shared")
        try Shell.sh("printf XXXX | dd of='\(list)' bs=1 seek=3 conv=notrunc status=none")
    }

    @Test(
        "a disk of the artifacts that takes no bytes is no silence of the backup: the undo fails, and can be done later"
    )
    func failingDisk() throws {
        let (live, _, kept) = try restored("right_eio")
        try Shell.sh("cd '\(live.artifacts)/1' && echo over >> run3/artifacts/model.bin")
        let folder = KeptParts(live.workspace()).folder(of: kept.id).appending("right")
        let outcome = try FaultShim(in: live.root.path).run(
            ["restore", "--undo", "--force", "--no-backup"], on: live, failingWritesBelow: folder)
        #expect(outcome.exit != .code(0), "\(outcome.output)")
        #expect(outcome.errors.contains("error") && !outcome.output.contains("may have been overwritten"))
        try live.undo(force: true)
        #expect(try Shell.sh("tail -c 5 '\(live.artifacts)/1/run3/artifacts/model.bin'") != "over\n")
        try live.expectNothingLeftBehind()
    }

    @Test("a damaged member with nothing but looks to be told keeps no other file from being put right")
    func damagedLooks() throws {
        let (live, archive, _) = try restored("right_looks") { live in
            try Shell.sh(
                "cd '\(live.artifacts)/1' && head -c 12000000 /dev/urandom > z-large && head -c 40000 /dev/urandom > small"
            )
        }
        // It does not compress, so that its bytes are found in the archive.
        let small = try OpenFile(live.artifacts.appending("1/small"), .read).readAll()
        let digest = "cd '\(live.artifacts)/1' && sha256sum z-large small"
        let whole = try Shell.sh(digest)
        try Shell.sh("cd '\(live.artifacts)/1' && echo over >> z-large && chmod 600 small")
        let place = try #require(try OpenFile(archive, .read).readAll().firstRange(of: small[20_000..<20_032]))
            .lowerBound
        try Shell.sh("printf damage | dd of='\(archive)' bs=1 seek=\(place) conv=notrunc status=none")
        let outcome = try live.undo(force: true)
        #expect(try Shell.sh(digest) == whole)
        // Of the one whose attributes nothing can tell that is said, and of no other.
        let told = try #require(outcome.warnings.first { $0.english.contains("may have been") })
        #expect(told.english.contains("1/small") && !told.english.contains("z-large"))
    }

    @Test(
        "attributes that a damaged backup cannot tell are told before an undo, those that were changed and those that were not",
        arguments: ["setfattr -n user.k -v after", "setfattr -x user.k", "touch -d 2001-01-01", "true"])
    func damagedAttributes(_ deed: String) throws {
        let (live, archive, _) = try restored("right_attributes") { live in
            try Shell.sh(
                "cd '\(live.artifacts)' && head -c 40000 /dev/urandom > 1/small && setfattr -n user.k -v v 1/small && "
                    + "echo top > top.txt && setfattr -n user.k -v v top.txt")
        }
        let small = try OpenFile(live.artifacts.appending("1/small"), .read).readAll()
        try Shell.sh("\(deed) '\(live.artifacts)/1/small'")
        let place = try #require(try OpenFile(archive, .read).readAll().firstRange(of: small[20_000..<20_032]))
            .lowerBound
        try Shell.sh("printf damage | dd of='\(archive)' bs=1 seek=\(place) conv=notrunc status=none")
        let newer = try #require(throws: BackupError.self) { try live.undo() }.explanation.english
        #expect(newer.contains("file 1/small or its attributes") == (deed != "true"), "\(newer)")
        // What lies directly in the folder is always read: nothing was done to it, and nothing can tell.
        #expect(
            newer.contains("file top.txt or its attributes") && !newer.contains("attributes of top.txt were"),
            "\(newer)")
        try live.undo(force: true)
    }

    @Test("what a damaged archive still gives is read once, however many files it has lost")
    func manyLost() throws {
        let (live, archive, kept) = try restored("right_many") { live in
            let folder = live.artifacts.appending("1/many")
            try Directory.make(folder)
            for number in 0..<1500 {
                try OpenFile(folder.appending("\(number)"), .createNew(mode: 0o644)).write(Noise.bytes(2000))
            }
        }
        try Shell.sh("cd '\(live.artifacts)/1/many' && for f in *; do echo over >> $f; done")
        let size = try FileStatus.of(archive).size
        try Shell.sh("printf damage | dd of='\(archive)' bs=1 seek=\(size / 2) conv=notrunc status=none")
        let shared = SharedFiles(live.workspace(), kept)
        var overwritten = try shared.overwritten()
        let before = try transferred()
        _ = try shared.putRight(&overwritten, keepingOrphansAs: "20260101T000000Z_late")
        #expect(try transferred() - before < 6 * Int(size))
        #expect(!overwritten.untold.isEmpty && overwritten.untold.count < 1500)
    }

    /// Bytes that this thread has read.
    private func transferred() throws -> Int {
        let text = try String(decoding: OpenFile("/proc/thread-self/io", .read).readAll(), as: UTF8.self)
        return text.split(separator: "\n").first.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
    }

    @Test(
        "where the list of shared files is damaged, one that was overwritten, and its live name deleted, is told before an undo"
    )
    func damagedListDeleted() throws {
        let (live, _, kept) = try restored("right_list")
        // Its time says nothing: `rsync --inplace -t` sets it back.
        try Shell.sh(
            """
            cd '\(live.artifacts)/1/run3/artifacts' && touch -r model.bin ../../time
            printf OVER | dd of=model.bin conv=notrunc status=none && touch -r ../../time model.bin && rm model.bin ../../time
            """)
        try damageList(live, kept)
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(
            error?.explanation.english.contains("1/run3/artifacts/model.bin") == true, "\(String(describing: error))")
        let outcome = try live.undo(force: true)
        #expect(outcome.warnings.contains { $0.english.contains("run3/artifacts/model.bin") }, "\(outcome.warnings)")
    }

    @Test(
        "where the list of shared files is damaged, what an undo puts right is not told again as what nothing can tell")
    func damagedListMended() throws {
        let (live, _, kept) = try restored("right_told")
        let before = try Shell.sh(
            "cd '\(live.artifacts)/1' && sha256sum run3/artifacts/model.bin run4/artifacts/model.bin")
        try Shell.sh(
            "cd '\(live.artifacts)/1' && echo over | tee -a run3/artifacts/model.bin >> run4/artifacts/model.bin")
        try damageList(live, kept)
        let outcome = try live.undo(force: true)
        #expect(
            try Shell.sh("cd '\(live.artifacts)/1' && sha256sum run3/artifacts/model.bin run4/artifacts/model.bin")
                == before)
        let told = outcome.replaced.findings.map(\.english).filter { $0.contains("model.bin") }
        #expect(told.count == 2 && told.allSatisfy { $0.contains("was written after") }, "\(told)")
    }

    @Test("an undo of an undo whose backup is gone names what nothing can tell once, and as that")
    func undoneTwice() throws {
        let (live, archive, _) = try restored("right_twice")
        try live.undo(force: true)
        try live.letStampsAge()
        try Shell.sh(
            "cd '\(live.artifacts)/1' && echo over >> run3/artifacts/model.bin && rm '\(archive)' '\(archive).json'")
        let error = try #require(throws: BackupError.self) { try live.undo() }
        guard case .newerData(_, let newer) = error else {
            Issue.record("\(error)")
            return
        }
        let told = newer.findings.map(\.english).filter { $0.contains("run3/artifacts/model.bin") }
        #expect(told.count == 1, "\(told)")
    }

    @Test("where the list of shared files is damaged, what was never shared is not taken for overwritten")
    func damagedListOwn() throws {
        let live = try LiveStackFixture("right_own")
        let names = "top.txt 1/run3/deep.txt 1/run4/old.txt"
        try Shell.sh("cd '\(live.artifacts)' && echo V1 | tee \(names) > /dev/null")
        try live.letStampsAge()
        let name = try live.backup().name.string
        try Shell.sh(
            "cd '\(live.artifacts)' && for f in \(names); do echo V2 > $f && touch -d 2030-01-01 $f; done && touch -d 2020-01-01 1/run4/old.txt"
        )
        let kept = try #require(try live.restore(name, force: true).kept)
        let tree = KeptParts(live.workspace()).tree(of: kept)
        try Shell.sh("cp -al '\(tree)' '\(live.root.path)/copy' && rm -r '\(live.root.path)/copy'")
        try damageList(live, kept)
        // A person saves two of them, one under its own name.
        try Shell.sh(
            "cd '\(live.artifacts)' && ln '\(tree)/1/run3/deep.txt' 1/saved.txt && ln -f '\(tree)/1/run4/old.txt' 1/run4/"
        )
        let outcome = try live.undo(force: true)
        #expect(
            try Shell.sh("cd '\(live.artifacts)' && cat \(names)") == "V2\nV2\nV2\n", "\(outcome.warnings)")
    }

    @Test("where the list of shared files is damaged, one that a client only deleted is right, and asks for nothing")
    func damagedListOnlyDeleted() throws {
        let (live, _, kept) = try restored("right_deleted")
        let model = live.artifacts.appending("1/run3/artifacts/model.bin")
        let before = try Shell.sh("sha256sum '\(model)'")
        try Directory.remove(model)
        try damageList(live, kept)
        let outcome = try live.undo()
        #expect(try Shell.sh("sha256sum '\(model)'") == before)
        #expect(!outcome.warnings.contains { $0.english.contains("model.bin") }, "\(outcome.warnings)")
    }

    @Test("a damaged list of what an undo brought asks for force, and goes on with it")
    func damagedBrought() throws {
        let (live, _, _) = try restored("right_brought")
        let before = try live.files()
        try live.undo(force: true)
        try Shell.sh(
            "for f in '\(live.folder.state)'/*.brought; do printf XXXX | dd of=$f bs=1 seek=3 conv=notrunc status=none; done"
        )
        let error = #expect(throws: BackupError.self) { try live.undo() }
        #expect(error?.errorCode == "newer-data")
        try live.undo(force: true)
        #expect(try live.files() == before)
    }
}
