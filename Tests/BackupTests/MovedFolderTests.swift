// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing
import Wording

@testable import Backup

@Suite("Folders that a swap moves", .enabled(if: geteuid() == 0, "mounting and other users need root"), .besideThePool)
struct MovedFolderTests {
    /// `1` and `2` live, `1` and `3` to come.
    private func swap(in root: FilePath, _ make: String = "mkdir") throws -> ArtifactSwap {
        let swap = ArtifactSwap(root: root, id: "20261127_020000_00000000")
        try swap.prepare()
        try Shell.sh("cd '\(root)' && \(make) 1 && \(make) 2 && cd '\(swap.new)' && \(make) 1 && \(make) 3")
        return swap
    }

    private func names(_ root: FilePath) throws -> String { try Shell.sh("ls '\(root)'") }

    @Test("of their owner's that he may not write into are moved all the same, and keep their modes")
    func withoutRight() throws {
        let folder = try TemporaryFolder("moved_modes")
        let swap = try swap(in: folder.path)
        let live = swap.root
        try Shell.sh(
            "cd '\(live)' && touch 2/file '\(swap.new)/3/file' && chmod 555 1 '\(swap.new)/1' && chmod 500 2 '\(swap.new)/3'"
        )
        try PlainRoot.run {
            try MovableChildren(of: live).check()
            let plan = try swap.plan()
            try swap.forward(plan)
            #expect(try self.names(live) == "1\n3\n")
            for (path, mode) in [("1", 0o555), ("3", 0o500)] as [(String, UInt32)] {
                #expect(try FileStatus.of(live.appending(path)).mode == mode)
            }
            #expect(try FileStatus.of(swap.old.appending("2")).mode == 0o500)
            try swap.backward(plan)
            #expect(try self.names(live) == "1\n2\n")
            #expect(try FileStatus.of(live.appending("1")).mode == 0o555)
            #expect(try FileStatus.of(live.appending("2")).mode == 0o500)
        }
    }

    @Test("of a group that their owner is not in are not opened up, which would take set-gid from them for good")
    func foreignGroup() throws {
        let folder = try TemporaryFolder("moved_groups")
        let root = folder.path
        try Shell.sh("cd '\(root)' && mkdir 1 && chown 4301:4301 . && chown 4301:6001 1 && chmod 2555 1")
        func refusal(_ groups: [UInt32]) throws -> String? {
            try OrdinaryUser.run(4301, groups: groups) {
                do { try MovableChildren(of: root).check() } catch let error as BackupError { return error.errorCode }
                return nil
            }
        }
        #expect(try refusal([]) == "not-ours")
        #expect(try refusal([6001]) == nil)
    }

    @Test("keep their times where a move changes them (xfs)")
    func times() throws {
        if let missing = MountedFileSystem.Kind.xfs.missing { return print("skipped on xfs: \(missing)") }
        let mounted = try MountedFileSystem(.xfs)
        let swap = try swap(in: mounted.path)
        func age() throws { try Shell.sh("cd '\(swap.root)' && touch -d @1700000000 [0-9]* '\(swap.new)'/[0-9]*") }
        func times(_ paths: [FilePath]) throws -> Set<Int64> {
            Set(try paths.map { try FileStatus.of($0).modified.seconds })
        }
        try age()
        let plan = try swap.plan()
        try swap.forward(plan)
        #expect(try times(["1", "3"].map { swap.root.appending($0) } + [swap.old.appending("2")]) == [1_700_000_000])
        try swap.backward(plan)
        #expect(try times(["1", "2"].map { swap.root.appending($0) } + [swap.new.appending("3")]) == [1_700_000_000])
    }

    @Test("that are subvolumes of btrfs are not taken for each other, and a read-only snapshot is named")
    func subvolumes() throws {
        if let missing = MountedFileSystem.Kind.btrfs.missing { return print("skipped on btrfs: \(missing)") }
        let mounted = try MountedFileSystem(.btrfs)
        let swap = try swap(in: mounted.path, "btrfs subvolume create")
        try Shell.sh("cd '\(swap.root)' && echo live > 1/file && echo kept > '\(swap.new)/1/file'")
        let (live, plan) = (swap.root.appending("1/file"), try swap.plan())
        func content() throws -> String { String(decoding: try OpenFile(live, .readNoFollow).readAll(), as: UTF8.self) }
        #expect(Set((plan.arrivals + plan.departures).map(\.inode)).count == 1, "all have one number")
        try swap.forward(plan)
        #expect(try content() == "kept\n" && names(swap.root) == "1\n3\n")
        // Again, and after another mount, as a recovery does it.
        try mounted.remount()
        try swap.forward(plan)
        #expect(try content() == "kept\n" && names(swap.root) == "1\n3\n")
        try swap.backward(plan)
        #expect(try content() == "live\n" && names(swap.root) == "1\n2\n")
        #expect(try swap.stranded(plan).isEmpty)

        try Shell.sh(
            "cd '\(swap.root)' && btrfs subvolume snapshot -r 1 snap && mkdir x && btrfs subvolume snapshot -r 1 x/in"
        )
        let snapshot = swap.root.appending("snap")
        let error = #expect(throws: BackupError.self) { try MovableChildren(of: swap.root).check() }
        #expect(
            error?.explanation.english.contains("btrfs property set -ts '\(snapshot)' ro false") == true,
            "\(String(describing: error))")
        let inside = swap.root.appending("x/in")
        #expect(Subvolume.holding(inside.appending("file"), below: swap.root.appending("x")) == inside)
        #expect(Subvolume.holding(swap.root.appending("x/in"), below: inside) == nil)
        // A snapshot has an empty folder in the place of another one, which has no number of its own.
        try Shell.sh(
            "cd '\(swap.root)' && btrfs subvolume create y && btrfs subvolume create y/sub && btrfs subvolume snapshot -r y x/outer"
        )
        let outer = swap.root.appending("x/outer")
        #expect(Subvolume.holding(outer.appending("sub/file"), below: swap.root.appending("x")) == outer)
    }
}
