// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Postgres
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite(
    "What is mounted, or leads elsewhere, is not touched by a restore",
    .enabled(if: geteuid() == 0, "mounting needs root"),
    .onItsOwnThread)
struct MountedInsideTests {
    @Test("C2: a folder mounted inside the artifacts keeps its content whole", arguments: [true, false])
    func mounted(atRestore: Bool) throws {
        let live = try LiveStackFixture("mounted_inside")
        let other = try TemporaryFolder("elsewhere")
        try other.write("precious", "precious")
        let point = live.artifacts.appending("0/mounted")
        try Directory.make(point)
        func mount() throws { try Shell.sh("mount --bind '\(other.path)' '\(point)'") }
        try mount()
        defer { _ = try? Shell.sh("umount '\(point)'") }
        let name = try live.backup().name.string
        if atRestore {
            let error = #expect(throws: BackupError.self) { try live.restore(name, .artifacts, force: true) }
            #expect(error?.errorCode == "mount-inside")
        } else {
            // Mounted into what a restore kept, it is in the way of a removal.
            try Shell.sh("umount '\(point)'")
            let kept = try #require(try live.restore(name, .artifacts, force: true).kept)
            let inside = KeptParts(live.workspace()).tree(of: kept).appending("0/mounted")
            try Shell.sh("mount --bind '\(other.path)' '\(inside)'")
            defer { _ = try? Shell.sh("umount '\(inside)'") }
            #expect(throws: (any Error).self) { try ForgetJob(live.workspace()).run(kept.id) }
            #expect(try Shell.sh("cat '\(inside)/precious'") == "precious")
        }
        #expect(try Shell.sh("cat '\(other.path)/precious'") == "precious")
    }

    @Test("a mount that is hidden by one of its own folder is in the way of a move, too, and is said to be before")
    func hidden() throws {
        let folder = try TemporaryFolder("mounted_hidden")
        let (root, other) = (folder.path.appending("a"), folder.path.appending("b"))
        let point = root.appending("in")
        try Directory.make(point)
        try Directory.make(other)
        func expectRefused(_ ground: String) {
            let error = #expect(throws: BackupError.self, "\(ground)") { try SwapObstacles.refuseMounts(inside: root) }
            #expect(error?.errorCode == "mount-inside", "\(ground)")
        }
        try Shell.sh("mount -t tmpfs none '\(point)' && mount --bind '\(root)' '\(root)'")
        defer {
            let mounts = [root, point, other.appending("in"), other].map { "'\($0)'" }.joined(separator: " ")
            _ = try? Shell.sh("cd '\(folder.path)' && for m in \(mounts); do umount \"$m\" 2>/dev/null || true; done")
        }
        #expect(rename(point.string, root.appending("moved").string) != 0 && errno == EBUSY)
        expectRefused("under a bind mount")
        try Shell.sh("umount '\(root)' && umount '\(point)'")
        try SwapObstacles.refuseMounts(inside: root)
        // Or where the same folder is seen elsewhere.
        try Shell.sh("mount --bind '\(root)' '\(other)' && mount -t tmpfs none '\(other)/in'")
        expectRefused("through another name")
    }

    /// A link to another disk, one that leads nowhere, a socket and a pipe, deep and directly in the folder.
    private static let things = ["1/run2/away", "away", "1/nowhere", "1/run3/pipe", "socket"]

    private func makeThings(_ live: LiveStackFixture, _ other: FilePath) throws {
        try Shell.sh(
            """
            cd '\(live.artifacts)' && ln -s '\(other)' 1/run2/away && ln -s '\(other)' away && ln -s ../../../nowhere 1/nowhere
            mkfifo 1/run3/pipe
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
            """)
    }

    private func inodes(_ live: LiveStackFixture) throws -> [UInt64?] {
        try Self.things.map { try FileStatus.ifPresent(live.artifacts.appending($0))?.inode }
    }

    @Test("links that lead out and what is no file stay where they are, without force, and an undo has them, too")
    func outside() throws {
        let live = try LiveStackFixture("outside_things")
        let other = try TemporaryFolder("elsewhere")
        try other.write("precious", "precious")
        try makeThings(live, other.path)
        let before = try inodes(live)
        try live.letStampsAge()
        let backup = try live.backup()
        #expect(backup.manifest.skipped.count == Self.things.count)
        try Shell.sh("rm -r '\(live.artifacts)/1/run5'")
        let time = try FileStatus.of(live.artifacts.appending("1/run2")).modified
        // Nothing of them would be lost, so nobody is asked.
        let outcome = try live.restore(backup.name.string, .artifacts)
        #expect(try inodes(live) == before)
        #expect(try FileStatus.of(live.artifacts.appending("1/run2")).modified == time)
        #expect(try FileStatus.ifPresent(live.artifacts.appending("1/run5")) != nil)
        #expect(
            try Shell.sh("cat '\(live.artifacts)/away/precious' '\(live.artifacts)/1/run2/away/precious'")
                == "preciousprecious")
        // The kept tree has them as well, and they keep it from nothing.
        let kept = try #require(outcome.kept)
        let missing = try KeptCoverage(workspace: live.workspace(), databases: Databases(live.database)).missing(kept)
        #expect(missing.map(\.english) == [])
        try live.undo()
        #expect(try inodes(live) == before)
        #expect(try FileStatus.ifPresent(live.artifacts.appending("1/run5")) == nil)
        #expect(try Shell.sh("cat '\(other.path)/precious'") == "precious")
    }

    @Test(
        "where the backup has something else of that name, or not the folder, they are named, go aside, and an undo brings them back"
    )
    func outsideElsewhere() throws {
        let live = try LiveStackFixture("outside_aside")
        let name = try live.backup().name.string
        let other = try TemporaryFolder("elsewhere")
        try Shell.sh(
            """
            cd '\(live.artifacts)' && rm -r 1/run2 && ln -s '\(other.path)' 1/run2 && mkdir -p 9/new && ln -s '\(other.path)' 9/new/away
            """)
        let error = #expect(throws: BackupError.self) { try live.restore(name, .artifacts) }
        let findings = error?.findings.map(\.english) ?? []
        #expect(
            findings.contains { $0.contains("1/run2") } && findings.contains { $0.contains("9/new/away") },
            "\(findings)")
        let outcome = try live.restore(name, .artifacts, force: true)
        #expect(outcome.replaced.total == 2)
        #expect(try FileStatus.of(live.artifacts.appending("1/run2")).kind == .directory)
        try live.undo()
        #expect(
            try Shell.sh("readlink '\(live.artifacts)/1/run2' '\(live.artifacts)/9/new/away'")
                == "\(other.path)\n\(other.path)\n")
    }
}
