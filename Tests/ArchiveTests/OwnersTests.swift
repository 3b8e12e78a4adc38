// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import TestSupport
import Testing

@Suite(
    "Owners and set-id bits come back (C31, C32)", .enabled(if: geteuid() == 0, "giving files away needs root"))
struct OwnersTests {
    private static let place: (user: UInt32, group: UInt32) = (4001, 4002)

    /// `stat` of all in a tree: mode, owner, group and time of each.
    private func looks(_ tree: FilePath) throws -> String {
        try Tool.shell("cd \"$1\" && find . -mindepth 1 -printf '%m %U:%G %T@ %y %p\\n' | sort -k5", tree)
    }

    /// A tree of several owners, itself owned by `place`.
    private func tree(_ scratch: Scratch) throws -> FilePath {
        let tree = try scratch.folder("tree")
        try scratch.file("tree/plain", Array("plain".utf8))
        try Directory.make(tree.appending("folder"))
        try scratch.file("tree/folder/own", Array("own".utf8))
        try Tool.shell(
            """
            cd "$1" && mkdir shared sticky && echo s > shared/s && echo t > sticky/t && echo u > setid && ln -s plain link
            ln plain folder/second && head -c 9000000 /dev/zero > large
            chown -hR 4001:4002 . && chown 5001:5002 shared sticky/t large && chown -h 5001:5001 link && chown 4001:7000 folder/own
            chown 5003:5004 setid && chmod 6755 setid && chmod 2775 shared && chmod 1777 sticky
            chown 4294967293:4294967293 sticky/t
            find . -exec touch -h -d @1700000000.5 {} +
            """, tree)
        return tree
    }

    @Test("to whoever had them by number, from an archive and from an uncompressed backup", arguments: [true, false])
    func byNumber(compressed: Bool) throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        let before = try looks(tree)
        let (backup, out) = (scratch.path.appending("b.tar.gz"), try scratch.folder("out"))
        let route = Extractor.Route(.artifacts, into: out, owner: .recorded(placeOwner: Self.place))
        let outcome: Extractor.Outcome
        if compressed {
            try Backups.archive(tree, to: backup)
            outcome = try ParallelExtractor([route], threads: 2).extract(IndexedArchive(backup))
            let again = try scratch.folder("again")
            _ = try Extractor([.init(.artifacts, into: again, owner: .recorded(placeOwner: Self.place))]).extract(
                TarGzipReader(backup))
            #expect(try looks(again) == before)
        } else {
            try Backups.write(tree, with: FolderWriter(creating: backup))
            // Its files may have come to anybody, and lost what a file system does not know.
            try Tool.shell("chown -hR 3110:3110 \"$1\" && chmod -R u+rwX,go= \"$1\"", backup)
            outcome = try Extractor([route]).extract(FolderReader(backup))
        }
        #expect(try looks(out) == before)
        #expect(outcome.denied.isEmpty)
        #expect(
            try FileStatus.of(out.appending("plain")).inode == FileStatus.of(out.appending("folder/second")).inode)
    }

    @Test("who owned the artifacts folder stands for who owns it now, and a third one stays who it is")
    func movedStack() throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        let (archive, out) = (scratch.path.appending("b.tar.gz"), try scratch.folder("out"))
        try Backups.archive(tree, to: archive)
        let outcome = try ParallelExtractor(
            [.init(.artifacts, into: out, owner: .recorded(placeOwner: (6001, 6002)))], threads: 2
        ).extract(IndexedArchive(archive))
        let expected = try looks(tree).replacing("4001:", with: "6001:").replacing(":4002", with: ":6002")
        #expect(try looks(out) == expected)
        #expect(outcome.denied.isEmpty)
    }

    @Test(
        "set-uid is given to no file of root's, nor to one that another owner than the recorded one gets, and that is counted"
    )
    func setID() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        for name in ["root", "moved", "right"] { try scratch.file("tree/\(name)", [1]) }
        try Tool.shell(
            "cd \"$1\" && chown 4001:4002 . moved && chown 5001:5002 right && chmod 6755 root moved right", tree)
        let (archive, out) = (scratch.path.appending("b.tar.gz"), try scratch.folder("out"))
        try Backups.archive(tree, to: archive)
        let outcome = try Extractor([.init(.artifacts, into: out, owner: .recorded(placeOwner: (6001, 6002)))])
            .extract(TarGzipReader(archive))
        let modes = try ["root", "moved", "right"].map { try FileStatus.of(out.appending($0)).mode }
        #expect(modes == [0o755, 0o755, 0o6755])
        #expect(outcome.denied.counts[.setID]?.number == 2)
    }

    @Test("a user who is not root restores a deep tree with folders that nobody may enter")
    func shutFolders() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        // Its way up is open no more when it gets its mode: what is below it is deeper than a walk has folders open.
        let deep = (1...10).map { "\($0)" }.joined(separator: "/")
        try Tool.shell("cd \"$1\" && mkdir -p 1/shut/\(deep) 1/too && chmod 0 1/shut/1 && chmod 600 1/shut", tree)
        let (archive, out) = (scratch.path.appending("b.tar.gz"), try scratch.folder("out"))
        try Backups.archive(tree, to: archive)
        try Tool.shell("chmod 755 \"$1\" && chown 4301:4301 \"$2\" && chmod 644 \"$3\"", scratch.path, out, archive)
        for isParallel in [true, false] {
            let into = out.appending(isParallel ? "parallel" : "one")
            try OrdinaryUser.run(4301) {
                try Directory.make(into)
                let route = Extractor.Route(.artifacts, into: into, owner: .recorded(placeOwner: (4301, 4301)))
                if isParallel {
                    _ = try ParallelExtractor([route], threads: 2).extract(IndexedArchive(archive))
                } else {
                    _ = try Extractor([route]).extract(TarGzipReader(archive))
                }
            }
            #expect(try FileStatus.of(into.appending("1/shut")).mode == 0o600)
            #expect(try FileStatus.of(into.appending("1/shut/1")).mode == 0)
        }
    }

    @Test("GNU tar and bsdtar read the same, with names where this machine has them")
    func foreignTars() throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        try Tool.shell("chown daemon:daemon \"$1/plain\"", tree)
        let before = try looks(tree)
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        #expect(try Tool.shell("tar -tvf \"$1\" | grep artifacts/plain", archive).contains("daemon/daemon"))
        for tool in ["tar --numeric-owner", "bsdtar --numeric-owner"] {
            let out = try scratch.folder("out-" + String(tool.prefix(3)))
            try Tool.shell("\(tool) -xpf \"$1\" -C \"$2\"", archive, out)
            #expect(try looks(out.appending("mlflow_backup/artifacts")) == before, "\(tool)")
        }
    }

    @Test("a live file is kept only where its owner, set-id bits and access list are right, too")
    func liveFiles() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        for name in ["same", "owner", "group", "mode", "list"] { try scratch.file("tree/\(name)", Array(name.utf8)) }
        try Tool.shell("cd \"$1\" && chown 5001:5002 * && chown 4001:4002 . && touch -d @1700000000 *", tree)
        let (archive, out) = (scratch.path.appending("b.tar.gz"), try scratch.folder("out"))
        try Backups.archive(tree, to: archive)
        let before = try looks(tree)
        try Tool.shell(
            "cd \"$1\" && chown 5009 owner && chgrp 5009 group && chmod g+s mode && setfacl -m u:1234:r list", tree)
        let live = Extractor.Route.Existing(tree, stillSince: FileTime(seconds: 4_000_000_000))
        let outcome = try ParallelExtractor(
            [.init(.artifacts, into: out, owner: .recorded(placeOwner: Self.place), existing: live)], threads: 1
        ).extract(IndexedArchive(archive))
        #expect(outcome.kept.map(\.inode) == [try FileStatus.of(tree.appending("same")).inode])
        #expect(try looks(out) == before)
        #expect(try Tool.shell("getfacl -sR \"$1\"", out) == "")
    }

    @Test("a member whose entry was given away or has another list is not taken over from the backup before")
    func reuse() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        try Directory.make(tree.appending("folder"))
        for name in ["a", "folder/b"] { try scratch.file("tree/\(name)", Array(name.utf8)) }
        sleep(3)
        let archives = (1...4).map { scratch.path.appending("\($0).tar.gz") }
        func next(_ number: Int) throws -> Int {
            let report = try Backups.write(
                tree, with: TarGzipWriter(creating: archives[number], previous: archives[number - 1], threads: 1)
            ).report
            let out = try scratch.folder("out\(number)")
            _ = try Extractor([.init(.artifacts, into: out, owner: .recorded(placeOwner: (0, 0)))]).extract(
                TarGzipReader(archives[number]))
            #expect(try looks(out) == looks(tree))
            #expect(
                try Tool.shell("cd \"$1\" && getfacl -nRp .", out) == Tool.shell("cd \"$1\" && getfacl -nRp .", tree))
            return report.reusedFiles
        }
        try Backups.archive(tree, to: archives[0])
        #expect(try next(1) == 2)
        try Tool.shell("setfacl -m u:1234:rx \"$1/folder\"", tree)
        #expect(try next(2) == 0)
        try Tool.shell("chown 5001 \"$1/a\"", tree)
        #expect(try next(3) == 0)
    }
}
