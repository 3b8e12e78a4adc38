// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Testing

@Suite("Access lists and attributes of folders come back (C31)")
struct AccessListTests {
    /// Lists and attributes of all in a tree.
    private func looks(_ tree: FilePath) throws -> String {
        try Tool.shell(
            "cd \"$1\" && getfacl -nRp . && getfattr -Rd -m '^user' . ; find . -printf '%m %p\\n' | sort", tree)
    }

    private func tree(_ scratch: Scratch) throws -> FilePath {
        let tree = try scratch.folder("tree")
        for name in ["file", "plain"] { try scratch.file("tree/\(name)", Array(name.utf8)) }
        try Tool.shell(
            """
            cd "$1" && mkdir -p group default/below && chmod 750 group file && head -c 9000000 /dev/zero > large && ln file other
            setfacl -m g::r-x,u:1001:rwx,m::rwx group && setfacl -m u:1001:rw-,g:1002:r--,g::---,m::rw- file large
            setfacl -d -m u:1001:rwx,g:1003:r-x default && setfattr -n user.note -v folder default && setfattr -n user.n -v f plain
            mkdir masked && setfacl -d -m u::rwx,g::rwx,o::r-x masked
            chmod 2775 default
            find . -exec touch -h -d @1700000000 {} +
            """, tree)
        return tree
    }

    @Test("as they were, from an archive and from an uncompressed backup", arguments: [true, false])
    func roundTrip(compressed: Bool) throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        let (backup, out) = (scratch.path.appending("b"), try scratch.folder("out"))
        // What is made in a folder like this inherits more than the backup has.
        try Tool.shell("setfacl -d -m u:1009:rwx \"$1\" \"$2\" && chmod 755 \"$2\"", out, scratch.path)
        let route = Extractor.Route(.artifacts, into: out, owner: .recorded(placeOwner: (geteuid(), getegid())))
        if compressed {
            try Backups.archive(tree, to: backup)
            _ = try ParallelExtractor([route], threads: 2).extract(IndexedArchive(backup))
        } else {
            try Backups.write(tree, with: FolderWriter(creating: backup))
            // Nobody gets at the backup by a list, and the group has no more than it had.
            #expect(try Tool.shell("cd \"$1/artifacts\" && getfacl -Rs .", backup) == "")
            #expect(try FileStatus.of(backup.appending("artifacts/file")).mode & 0o070 == 0)
            _ = try Extractor([route]).extract(FolderReader(backup))
        }
        #expect(try looks(out).replacing("755 .\n", with: "") == looks(tree).replacing("755 .\n", with: ""))
    }

    @Test("attributes whose names a pax record cannot hold come back, too, and bsdtar gives and reads the same")
    func oddNames() throws {
        let scratch = try Scratch()
        let tree = try scratch.folder("tree")
        try scratch.file("tree/file", [1])
        let file = try OpenFile(tree.appending("file"), .readNoFollow)
        let names = ["user.a=b", "user.caf\u{e9}", "user.cafe\u{301}", "user.%3d"].map { Array($0.utf8) }
        for (number, name) in zip(0..., names + [Array("user.".utf8) + [1, 0xff]]) {
            let value = (0...number).map { UInt8(255 - $0) }
            #expect(try file.set(.init(name: name, value: value)))
        }
        let stored = try file.userAttributes()
        #expect(stored.count == 5)
        let (archive, out) = (scratch.path.appending("b.tar.gz"), try scratch.folder("out"))
        try Backups.archive(tree, to: archive)
        _ = try Extractor([.init(.artifacts, into: out)]).extract(TarGzipReader(archive))
        #expect(try OpenFile(out.appending("file"), .readNoFollow).userAttributes() == stored)
        let foreign = try scratch.folder("foreign")
        try Tool.shell("bsdtar --xattrs -xpf \"$1\" -C \"$2\"", archive, foreign)
        let unpacked = foreign.appending("mlflow_backup/artifacts/file")
        #expect(try OpenFile(unpacked, .readNoFollow).userAttributes() == stored)
    }

    @Test(
        "what the file system of an uncompressed backup cannot hold is counted, by each backup anew",
        .enabled(if: geteuid() == 0, "mounting needs root"))
    func notHeld() throws {
        let scratch = try Scratch()
        let tree = FilePath("/dev/shm").appending("mlflow-attributes-\(getpid())")
        try Directory.make(tree)
        defer { try? Directory.removeTree(tree) }
        try Tool.shell(
            """
            truncate -s 16M "$1/image" && mkfs.ext4 -q -F "$1/image" && mkdir "$1/m" && mount -o loop "$1/image" "$1/m"
            echo x > "$2/large" && echo y > "$2/small" && setfattr -n user.b -v small "$2/large" "$2/small"
            setfattr -n user.a -v "$(head -c 30000 /dev/zero | tr '\\0' a)" "$2/large"
            find "$2" -exec touch -h -d @1700000000 {} +
            """, scratch.path, tree)
        defer { _ = try? Tool.shell("umount \"$1/m\"", scratch.path) }
        let (first, second) = (scratch.path.appending("m/1"), scratch.path.appending("m/2"))
        for writer in [try FolderWriter(creating: first), try FolderWriter(creating: second, previous: first)] {
            let denied = try Backups.write(tree, with: writer).summary.denied.counts[.attributes]
            #expect(denied?.number == 1 && denied?.example.description == "artifacts/large")
        }
        // What has room is there.
        let stored = try OpenFile(second.appending("artifacts/large"), .readNoFollow).userAttributes()
        #expect(stored.map(\.name) == [Array("user.b".utf8)])
    }

    @Test(
        "GNU tar and bsdtar show and restore them, and what GNU tar packs again is read", arguments: ["tar", "bsdtar"])
    func foreignTars(tool: String) throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        let (archive, out) = (scratch.path.appending("b.tar.gz"), try scratch.folder("out"))
        try Backups.archive(tree, to: archive)
        if tool == "tar" {
            let listing = try Tool.shell("tar --acls --xattrs -tvvf \"$1\"", archive)
            #expect(listing.contains("user:1001:rwx") && listing.contains("default:"))
        }
        try Tool.shell("\(tool) --acls --xattrs -xpf \"$1\" -C \"$2\"", archive, out)
        let restored = out.appending("mlflow_backup/artifacts")
        #expect(try looks(restored) == looks(tree))
        // With names in place of numbers, where there are any.
        try Tool.shell("setfacl -m u:daemon:rwx \"$1/plain\" \"$2/plain\"", tree, restored)
        let (again, back) = (scratch.path.appending("again.tar.gz"), try scratch.folder("back"))
        try Tool.shell("\(tool) --acls --xattrs -czf \"$1\" -C \"$2\" mlflow_backup", again, out)
        _ = try Extractor([.init(.artifacts, into: back, owner: .recorded(placeOwner: (0, 0)))]).extract(
            TarGzipReader(again))
        #expect(try looks(back).replacing("755 .\n", with: "") == looks(tree).replacing("755 .\n", with: ""))
    }

    @Test("where a list cannot be had nobody gets a right that it does not give")
    func strictModes() throws {
        func mode(_ text: String, _ mode: UInt32) throws -> UInt32 {
            guard case .list(let list) = AccessList.parse(text, AccountNames()) else {
                Issue.record("\(text)")
                return 0
            }
            return list.strictMode(mode)
        }
        // The group had r-x, and the mode's group bits are the mask.
        #expect(try mode("user::rwx,user:1001:rwx,group::r-x,mask::rwx,other::---", 0o2770) == 0o2750)
        #expect(try mode("user::rw-,group::rw-,group:7:rw-,mask::r--,other::r--", 0o644) == 0o644)
        // Who is shut out by name would else be one of the others.
        #expect(try mode("user::rw-,user:1001:---,group::r--,mask::rw-,other::r--", 0o664) == 0o600)
    }

    @Test("in another group's hands a list, or a mode, gives nobody more than before")
    func otherGroups() throws {
        func other(_ text: String) throws -> String {
            guard case .list(let list) = AccessList.parse(text, AccountNames()) else { return "no list" }
            return list.ofAnotherGroup.text
        }
        #expect(
            try other("user::rwx,user:1001:rwx,group::r-x,mask::rwx,other::---")
                == "user::rwx,user:1001:rwx,group::---,mask::rwx,other::---")
        #expect(
            try other("user::rw-,group::rw-,group:7:r--,mask::rw-,other::rw-")
                == "user::rw-,group::r--,group:7:r--,mask::rw-,other::rw-")
        // Who was shut out as the group would else be one of the others.
        #expect(
            try other("user::rw-,user:1001:rw-,group::---,mask::rw-,other::r--")
                == "user::rw-,user:1001:rw-,group::---,mask::rw-,other::---")
        let looks = RestoredLooks(.recorded(placeOwner: (6001, 6002)), tree: nil)
        func mode(_ kind: ArchiveEntry.Kind, _ mode: UInt32, group: UInt32) throws -> UInt32 {
            let entry = ArchiveEntry(
                path: try Backups.path("a"), kind: kind, mode: mode, owner: 5001, group: 5002,
                modified: FileTime(seconds: 1))
            return looks.due(entry, (5001, group)).mode
        }
        for (before, after) in [(0o640, 0o600), (0o664, 0o644), (0o604, 0o600), (0o755, 0o755)] as [(UInt32, UInt32)] {
            #expect(try mode(.file, before, group: 5002) == before)
            #expect(try mode(.file, before, group: 4302) == after)
        }
        #expect(try mode(.directory, 0o3775, group: 4302) == 0o1755)
        #expect(try mode(.directory, 0o3775, group: 5002) == 0o3775)
    }

    @Test("an archive whose lists name nobody of this machine gives the group nothing")
    func unknownNames() {
        #expect(
            AccessList.parse("user::rw-,user:no-such-one:rw-,group::r--,mask::rw-,other::---", .ofThisMachine())
                == .unknown)
        #expect(AccessList.parse("user::rw-\ngroup::r--\nother::---\n", AccountNames()) == .mode)
        let star = AccessList.parse("u::rw-,user:lisa:r--:1001,g::r--,m::r--,o::---", AccountNames())
        guard case .list(let list) = star else { return #expect(star == .unknown && false) }
        #expect(list.text == "user::rw-,user:1001:r--,group::r--,mask::r--,other::---")
    }

    @Test(
        "on a file system without lists the group's rights do not grow, and the files are counted",
        .enabled(if: geteuid() == 0, "mounting needs root"))
    func withoutLists() throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        let (archive, out) = (scratch.path.appending("b.tar.gz"), try scratch.folder("out"))
        try Backups.archive(tree, to: archive)
        try Tool.shell("mount -t ramfs none \"$1\"", out)
        defer { _ = try? Tool.shell("umount \"$1\"", out) }
        let outcome = try ParallelExtractor(
            [.init(.artifacts, into: out, owner: .recorded(placeOwner: (0, 0)))], threads: 2
        ).extract(IndexedArchive(archive))
        #expect(try FileStatus.of(out.appending("group")).mode == 0o750)
        #expect(try FileStatus.of(out.appending("file")).mode == 0o700)
        #expect(outcome.denied.counts[.accessList]?.number == 5)
        #expect(outcome.denied.counts[.attributes]?.number == 2)
    }
}
