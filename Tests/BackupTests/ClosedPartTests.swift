// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "Kept parts of which something is another user's",
    .enabled(if: geteuid() == 0, "becoming another user needs root"), .onItsOwnThread)
struct ClosedPartTests {
    static let user: UInt32 = 4307

    /// The service's own stack, with a part kept of each of two folders.
    private func restored(_ name: String) throws -> (live: LiveStackFixture, part: KeptPart) {
        let live = try LiveStackFixture(name)
        try Shell.sh("mkdir '\(live.artifacts)/2' && echo 2 > '\(live.artifacts)/2/file'")
        try Shell.sh("chmod 755 '\(live.root.path)' && chown -hR \(Self.user):\(Self.user) '\(live.root.path)'")
        let part = try OrdinaryUser.run(Self.user) {
            let backup = try live.backup().name.string
            try Shell.sh("echo 3 > '\(live.artifacts)/2/file'")
            return try live.restore(backup, force: true).kept
        }
        return (live, try #require(part))
    }

    @Test("what is closed to this user is no reason to show none of the parts")
    func closed() throws {
        let (live, part) = try restored("closed_part")
        let tree = KeptParts(live.workspace()).tree(of: part)
        try Shell.sh("chown root:root '\(tree)' && chmod 700 '\(tree)'")
        try OrdinaryUser.run(Self.user) {
            #expect(try KeptParts(live.workspace()).missingChildren(of: part).isEmpty)
            #expect(try KeptParts(live.workspace()).listing().map(\.part.id) == [part.id])
            _ = try KeptParts(live.workspace()).warnings()
        }
    }

    @Test("an undo looks at the folders that it would bring back before it begins its swap")
    func foreign() throws {
        let (live, part) = try restored("foreign_part")
        let (rows, files) = (try live.rows(), try live.files())
        let child = KeptParts(live.workspace()).tree(of: part).appending("2")
        try Shell.sh("chown root:root '\(child)' && chmod 755 '\(child)'")
        try OrdinaryUser.run(Self.user) {
            let error = #expect(throws: BackupError.self) { try UndoJob(live.workspace(), force: true).preflight() }
            #expect(error?.errorCode == "not-ours", "\(String(describing: error))")
            #expect(error?.explanation.english.contains(child.string) == true)
            #expect(throws: BackupError.self) { try live.undo(force: true) }
        }
        #expect(try live.rows() == rows && live.files() == files)
        try Shell.sh("chown \(Self.user) '\(child)'")
        try OrdinaryUser.run(Self.user) { try live.undo(force: true) }
        #expect(try Shell.sh("cat '\(live.artifacts)/2/file'") == "3\n")
    }

    @Test(
        "an undo looks at the part's own folder before it begins, and says what to do",
        arguments: [(owner: user, mode: "500"), (owner: 0, mode: "755")])
    func closedFolder(owner: UInt32, mode: String) throws {
        let (live, part) = try restored("closed_folder")
        let (rows, files) = (try live.rows(), try live.files())
        let folder = KeptParts(live.workspace()).folder(of: part.id)
        try Shell.sh("chown \(owner) '\(folder)' && chmod \(mode) '\(folder)'")
        let advice = try OrdinaryUser.run(Self.user) {
            let error = #expect(throws: BackupError.self) { try UndoJob(live.workspace(), force: true).preflight() }
            #expect(error?.errorCode == "not-movable", "\(String(describing: error))")
            let advice = error?.explanation.english ?? ""
            #expect(advice.contains(folder.string) && error?.explanation.chinese.contains(folder.string) == true)
            #expect(throws: BackupError.self) { try live.undo() }
            return advice
        }
        #expect(try live.rows() == rows && live.files() == files)
        #expect(try KeptParts(live.workspace()).all().map(\.id) == [part.id])
        // The command that is advised is enough.
        try Shell.sh(String(try #require(advice.split(separator: ": ").last)))
        try OrdinaryUser.run(Self.user) { try live.undo() }
        #expect(try Shell.sh("cat '\(live.artifacts)/2/file'") == "3\n")
    }
}
