// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import SystemIO

@Suite("The ground that a folder stands on")
struct GroundTests {
    @Test(
        "a folder that is not there yet is resolved as far as it is; a link that leads nowhere, or in a circle, is an error"
    )
    func resolving() throws {
        let root = try TemporaryFolder("ground")
        try Shell.sh(
            "cd '\(root.path)' && mkdir -p real/in && ln -s real link && ln -s nowhere dead && ln -s b a && ln -s a b")
        let real = try root.path.resolved().appending("real")
        #expect(try root.path.appending("link/./in/../in").resolved() == real.appending("in"))
        #expect(try root.path.appending("link/new/er").resolvedAsFarAsThere() == real.appending("new/er"))
        #expect(try root.path.appending("link/new/../er").resolvedAsFarAsThere() == real.appending("er"))
        for (name, code) in [("dead", ENOENT), ("dead/x", ENOENT), ("a", ELOOP), ("b/x", ELOOP)] {
            let error = #expect(throws: SystemError.self) { try root.path.appending(name).resolvedAsFarAsThere() }
            #expect(error?.code == code, "\(name)")
        }
        #expect(root.path.appending("dead").linkTarget == "nowhere")
    }

    @Test("how folders lie to each other, by links and by names that only begin alike")
    func relations() throws {
        let root = try TemporaryFolder("relations")
        try Shell.sh("cd '\(root.path)' && mkdir -p art/in/deep artist && ln -s art/in link && ln -s art same")
        func relation(_ one: String, _ other: String) throws -> FolderRelation {
            try Ground(root.path.appending(one)).relation(to: Ground(root.path.appending(other)))
        }
        #expect(try relation("art", "artist") == .apart)
        #expect(try relation("art/new", "art") == .inside)
        #expect(try relation("art", "link") == .around)
        #expect(try relation("link/deep/er", "same") == .inside)
        #expect(try relation("same", "art") == .same)
        #expect(try relation("nowhere/art", "art") == .apart)
    }

    @Test(
        "a bind mount is no disguise, neither of the folder nor of a part of it",
        .enabled(if: geteuid() == 0, "mounting needs root"))
    func bindMounts() throws {
        let root = try TemporaryFolder("binds")
        try Shell.sh(
            "cd '\(root.path)' && mkdir -p art/in/deep whole part && mount --bind art whole && mount --bind art/in part"
        )
        defer { _ = try? Shell.sh("umount '\(root.path)/whole' '\(root.path)/part'") }
        let art = try Ground(root.path.appending("art"))
        #expect(try Ground(root.path.appending("whole")).relation(to: art) == .same)
        #expect(try Ground(root.path.appending("whole/in")).relation(to: art) == .inside)
        #expect(try Ground(root.path.appending("part")).relation(to: art) == .inside)
        #expect(try Ground(root.path.appending("part/deep/new")).relation(to: art) == .inside)
        #expect(try art.relation(to: Ground(root.path.appending("part"))) == .around)
        #expect(try MountTable.points(below: root.path).count == 2)
        // What of it is below the other one, as it is called there.
        #expect(try art.names(below: Ground(root.path)) == ["art"].map { Array($0.utf8) })
        #expect(
            try Ground(FilePath("\(root.path)/part/deep")).names(below: art) == ["in", "deep"].map { Array($0.utf8) })
        #expect(
            try Ground(FilePath("\(root.path)/whole/in")).names(below: art) == ["in"].map { Array($0.utf8) })
        #expect(try art.names(below: Ground(FilePath("\(root.path)/part"))) == nil)
    }

    @Test("a mount that another one hides is none: it stands in nobody's way, and umount does not know it")
    func hidden() throws {
        let table = [
            "20 1 8:1 / / rw - ext4 /dev/a rw", "30 20 8:2 / /art rw - ext4 /dev/b rw",
            "31 30 8:3 / /art/in rw - ext4 /dev/c rw", "32 31 8:4 / /art/in/deep rw - ext4 /dev/d rw",
            // Over the first, and what is seen in it; then two on one point.
            "40 30 8:5 / /art rw - ext4 /dev/e rw", "41 40 8:6 / /art/new rw - ext4 /dev/f rw",
            "42 41 8:7 / /art/new rw - ext4 /dev/g rw", "50 20 8:8 / /other rw - ext4 /dev/h rw",
        ]
        let all = MountTable.mounts(in: Array(table.joined(separator: "\n").utf8))
        #expect(all.filter { MountTable.isSeen($0, among: all) }.map(\.id) == [20, 40, 42, 50])
        // After chroot(2) the mount of `/` is not in it.
        let part = all.filter { $0.id != 20 }
        #expect(part.filter { MountTable.isSeen($0, among: part) } == part)
    }

    /// A mount as `/proc/self/mountinfo` tells of it, which the test kernel cannot make.
    private func ground(_ path: FilePath, inode: UInt64, on type: String, root: FilePath = "/") -> Ground {
        let mount = MountTable.Mount(
            id: inode, parent: 0, device: "0:52", root: root, point: path, type: type, source: "nas:\(path)",
            isMountedReadOnly: false, isFileSystemReadOnly: false)
        return Ground(path: path, isThere: true, identities: [.init(device: 52, inode: inode)], mount: mount)
    }

    @Test("two folders of one NFS server are two folders, though the kernel gives both one device and one root")
    func exports() {
        let (backups, artifacts) = (ground("/backups", inode: 2, on: "nfs4"), ground("/art", inode: 3, on: "nfs4"))
        #expect(backups.relation(to: artifacts) == .apart)
        #expect(ground("/art2", inode: 3, on: "nfs").relation(to: artifacts) == .same)
        // Whatever other file system says so of two inodes.
        #expect(ground("/b", inode: 2, on: "odd").relation(to: ground("/a", inode: 3, on: "odd")) == .apart)
        #expect(
            ground("/b", inode: 2, on: "ext4", root: "/a/b").relation(to: ground("/a", inode: 3, on: "ext4")) == .inside
        )
    }

    @Test("a probe that loses its folder says nothing, instead of a file system that can do little")
    func lostProbe() throws {
        let root = try TemporaryFolder("lost")
        let (parent, gone) = (root.path.appending("parent"), root.path.appending("gone"))
        try Directory.make(parent)
        try Directory.make(gone)
        let isOver = Monitor(false)
        let remover = try WorkerThread("remover") {
            while !isOver.withLock({ $0 }) {
                for name in (try? Directory.names(in: parent)) ?? [] {
                    try? Directory.rename(parent.appending(name), to: gone.appending(name))
                }
            }
        }
        for _ in 0..<50 {
            // Of a probe that came through, all is true.
            guard let found = try? FileSystemProbe.run(in: parent) else { continue }
            #expect(found.lacking(of: [.locks, .fileSync, .identity, .changeTime]) == [])
        }
        isOver.withLock { $0 = true }
        remover.join()
    }

    @Test("a file system of our own does everything that a stack on it stands on")
    func abilities() throws {
        let root = try TemporaryFolder("abilities")
        let found = try FileSystemProbe.run(in: root.path)
        #expect(found.lacking().filter { $0 != .sharedBlocks } == [])
        #expect(try Directory.names(in: root.path).isEmpty, "nothing is left")
    }

    @Test("what has no answer is not asked twice, and nobody waits for it longer than he wants to")
    func silence() throws {
        let question = PatientQuestion<Int>()
        let (door, asked) = (Monitor(false), Monitor(0))
        for _ in 0..<3 {
            let reply = question.ask(atMost: 0.05) { () throws(SystemError) in
                asked.withLock { $0 += 1 }
                door.wait { $0 ? () : nil }
                return 7
            }
            guard case .silent = reply else { return #expect(Bool(false), "\(reply)") }
        }
        #expect(asked.withLock { $0 } == 1)
        door.withLock { $0 = true }
        // The answer to the one that waited, or one asked anew.
        guard case .answered(7) = question.ask(atMost: 5, { () throws(SystemError) in 7 }) else {
            return #expect(Bool(false))
        }
        guard case .answered(7) = question.ask(atMost: 5, standingFor: 60, { () throws(SystemError) in 8 }) else {
            return #expect(Bool(false), "an answer stands for its time")
        }
    }

    @Test(
        "who asks whether a folder's files share blocks leaves nothing in one to which files can only be added",
        .enabled(if: geteuid() == 0, "chattr needs root"))
    func appendOnly() throws {
        let folder = try TemporaryFolder("append-only")
        try needs((try? Shell.sh("chattr +a '\(folder.path)'")) != nil, "tmpfs and overlay know no such files")
        defer { _ = try? Shell.sh("chattr -a '\(folder.path)'") }
        #expect(!FileSystem.sharesBlocks(in: folder.path))
        #expect(try Directory.names(in: folder.path).isEmpty)
    }

    @Test(
        "without the flag, a rename that must not replace never does, and leaves one name",
        arguments: MountedFileSystem.Kind.withoutFlag)
    func renaming(kind: MountedFileSystem.Kind) throws {
        try kind.mustBeHere()
        let mounted = try MountedFileSystem(kind)
        let root = mounted.path
        try Shell.sh("cd '\(root)' && echo one >one && echo two >two && mkdir -p d/in e")
        #expect(try FileSystemProbe.run(in: root).lacking().contains(.renameWithoutReplacing))
        for (from, to) in [("one", "two"), ("d", "two"), ("d", "e"), ("one", "e")] {
            let error = #expect(throws: SystemError.self) {
                try Directory.renameWithoutReplacing(root.appending(from), to: root.appending(to))
            }
            #expect(error?.code == EEXIST, "\(from) to \(to)")
        }
        try Directory.renameWithoutReplacing(root.appending("one"), to: root.appending("e/three"))
        try Directory.renameWithoutReplacing(root.appending("d"), to: root.appending("e/d"))
        #expect(try Shell.sh("cd '\(root)' && cat e/three two && ls -d * e/*") == "one\ntwo\ne\ne/d\ne/three\ntwo\n")
    }

    @Test("what a client renames over a name while that is moved away is never lost, without the flag either")
    func movedWhileReplaced() throws {
        try MountedFileSystem.Kind.sshfs.mustBeHere()
        let mounted = try MountedFileSystem(.sshfs)
        let (live, own) = (mounted.path.appending("live"), mounted.path.appending("own"))
        let upload = mounted.path.appending("upload")
        try Directory.make(own)
        for round in 0..<60 {
            let target = own.appending("\(round)")
            for path in [live, upload] { try OpenFile(path, .createNew(mode: 0o600)).write(Array(path.lastComponent)) }
            let client = try WorkerThread("client") { _ = try? Directory.rename(upload, to: live) }
            try Directory.moveIntoOwn(live, as: target)
            client.join()
            let found = try [live, target].filter { try FileStatus.ifPresent($0) != nil }
                .map { String(decoding: try OpenFile($0, .read).readAll(), as: UTF8.self) }
            #expect(found.contains("upload"), "round \(round): \(found)")
            if try FileStatus.ifPresent(live) != nil { try Directory.remove(live) }
        }
    }
}

extension MountedFileSystem.Kind {
    static let withoutFlag: [MountedFileSystem.Kind] = [.exfat, .ntfs, .sshfs]
}
