// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

/// A stack that version 0.1.0 left, whole or in the middle of something, under this program.
@Suite(.serialized, .aheadBesideThePool) struct TakeoverTests {
    enum Stage: String, CaseIterable {
        case whole, adopting, pruning, committed
        case preparingFiles = "preparing-files"
        case preparingDatabase = "preparing-database"
        case committingBeforeDatabases = "committing-before-databases"
        case committingAfterDatabases = "committing-after-databases"
        case committingSomeChildren = "committing-some-children"
        case journalPartial = "journal-partial"
        case backupWriting = "backup-writing"
        case backupPublished = "backup-published"
        case backupFolderPublished = "backup-folder-published"

        var endsNew: Bool {
            [.committed, .committingAfterDatabases, .committingSomeChildren].contains(self)
        }
    }

    static let archive = "mlflow_backup_20250301_000002.tar.gz"
    static let folder = "mlflow_backup_20250301_000003"

    /// What a person may do first. In the short form one of them for each stage, in turn.
    static let firsts = [["recover"], ["backup", "--quiet"], ["restore", "--quiet", "--force", folder]]

    static let cases = Stage.allCases.enumerated().flatMap { index, stage in
        (FaultPlan.isExhaustive ? firsts : [firsts[index % firsts.count]]).map { (stage, $0) }
    }

    @Test(arguments: cases)
    func aStackOf010IsTakenOverWhateverItWasInTheMiddleOf(_ stage: Stage, _ first: [String]) throws {
        let (old, new) = try Self.states.get()
        let stack = try OldStack(stage.rawValue)
        let program = stack.ground.program
        let known = try Listing(program).status.filter { $0.value == "completed" }.map(\.key)
        #expect(known.contains(Self.folder))
        #expect(known.contains(Self.archive) || stage == .pruning)
        let contents = try Ground.contents(known, in: stack.ground.backups)

        let ended = try program.run(first)
        #expect(ended.succeeded, "\(first): \(ended.saying)")
        let live = stack.ground.live()
        let isNew = stage.endsNew || first[0] == "restore"
        #expect(
            live == (isNew ? new : old), "the live data is \(live == new ? "new" : live == old ? "old" : "a mixture")")

        let backup = try program.later(60).run(["backup", "--quiet"])
        #expect(backup.succeeded, "backup: \(backup.saying)")
        #expect(stack.ground.live() == live)
        let left = try Remains(stack.ground).found()
        #expect(left.isEmpty, "\(left)")
        let listing = try Listing(program)
        #expect(listing.status.values.allSatisfy { $0 == "completed" }, "\(listing.status)")
        #expect(try Ground.contents(known, in: stack.ground.backups) == contents)
        for name in listing.names {
            let verified = try program.run(["verify", "--quiet", name])
            #expect(verified.succeeded, "verify \(name): \(verified.saying)")
        }
        let restored = try program.later(120).run(["restore", "--quiet", "--force", Self.folder])
        #expect(restored.succeeded, "restore: \(restored.saying)")
        #expect(stack.ground.live() == new)
    }

    /// What is live in the fixture, and what its backups hold, as the program under test restores it.
    private static let states = Result { () throws -> (old: String, new: String) in
        let stack = try OldStack(Stage.whole.rawValue)
        let old = try stack.ground.fingerprint()
        let ended = try stack.ground.program.run(["restore", "--quiet", "--force", archive])
        guard ended.succeeded else { throw CaseFailed("the fixture's backup does not restore: \(ended.saying)") }
        let new = try stack.ground.fingerprint()
        guard old != new, new.contains("./1/run2/artifacts/model.bin"), new.contains("run1)") else {
            throw CaseFailed("the fixture's backup restored something else")
        }
        return (old, new)
    }
}
