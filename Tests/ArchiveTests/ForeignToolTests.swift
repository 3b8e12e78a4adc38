// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Testing

@Suite("With our program lost, other people's programs read the archive")
struct ForeignToolTests {
    @Test("every decompressor gives the same bytes and no complaint")
    func decompressors() throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try RandomTree(seed: 11, at: tree)
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        let expected = try Tool.shell("gzip -dc \"$1\" | sha256sum", archive)
        for command in [
            "pigz -dc \"$1\"", "igzip -dc \"$1\"", "busybox gzip -dc \"$1\"", "bsdcat \"$1\"",
            "zstd -dcq --format=gzip \"$1\"", "7z x -so -tgzip \"$1\"",
            "/usr/bin/python3 -c 'import gzip,sys,shutil; shutil.copyfileobj(gzip.open(sys.argv[1]), sys.stdout.buffer)' \"$1\"",
            "perl -MIO::Uncompress::Gunzip=gunzip -e 'gunzip $ARGV[0] => \"-\", MultiStream => 1 or die' \"$1\"",
        ] {
            #expect(try Tool.shell(command + " | sha256sum", archive) == expected, "\(command)")
        }
        try Tool.mustRun("gzip", ["-t", archive.string])
        try Tool.mustRun("pigz", ["-t", archive.string])
        try Tool.mustRun("igzip", ["-t", archive.string])
        try Tool.mustRun("busybox", ["gzip", "-t", archive.string])
        try Tool.mustRun("zstd", ["-tq", archive.string])
        try Tool.mustRun("7z", ["t", "-tgzip", archive.string])
    }

    @Test("every tar restores a strange tree", arguments: ["tar", "bsdtar", "python"])
    func strangeTree(tool: String) throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try RandomTree(seed: 12, at: tree)
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        let out = try scratch.folder("out")
        switch tool {
        case "tar": try Tool.shell("tar -xpzf \"$1\" -C \"$2\"", archive, out)
        case "bsdtar": try Tool.shell("bsdtar -xpf \"$1\" -C \"$2\"", archive, out)
        default:
            try Tool.mustRun(
                "python3",
                [
                    "-c", "import tarfile,sys; tarfile.open(sys.argv[1]).extractall(sys.argv[2])",
                    archive.string, out.string,
                ])
        }
        let before = try TreeSnapshot(tree)
        let after = try TreeSnapshot(out.appending("mlflow_backup").appending("artifacts"))
        #expect(after.items.count == before.items.count)
        for (path, item) in before.items {
            let found = try #require(after.items[path], "\(String(decoding: path, as: UTF8.self))")
            #expect(found.digest == item.digest)
            #expect(found.target == item.target)
            // Python keeps times as floating point, and sets none on links. libarchive 3.6 adds the fraction of a
            // time before 1970 where it should take it off.
            if tool == "tar" || tool == "bsdtar" && item.modified.seconds >= 0 {
                #expect(found.modified == item.modified)
            }
        }
    }

    @Test("the small tars, which know no pax, restore an ordinary tree", arguments: ["busybox", "perl"])
    func smallTars(tool: String) throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try Backups.makeManyMembers(tree)
        // Whole seconds and short names need no pax header.
        try Tool.shell("find \"$1\" -exec touch -d @1700000000 {} +", tree)
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(tree, to: archive)
        let out = try scratch.folder("out")
        switch tool {
        case "busybox": try Tool.shell("busybox tar -xzf \"$1\" -C \"$2\"", archive, out)
        default:
            try Tool.shell(
                "cd \"$2\" && perl -MArchive::Tar -e 'Archive::Tar->extract_archive($ARGV[0]) or die $Archive::Tar::error' \"$1\"",
                archive, out)
        }
        let after = try TreeSnapshot(out.appending("mlflow_backup").appending("artifacts"))
        let before = try TreeSnapshot(tree)
        #expect(after.items.mapValues(\.digest) == before.items.mapValues(\.digest))
    }

    @Test("a person packs the unpacked folder again under another name", arguments: ["gnu", "posix", "ustar"])
    func repacked(format: String) throws {
        let scratch = try Scratch()
        let tree = scratch.path.appending("tree")
        try RandomTree(seed: 13, at: tree)
        if format == "ustar" {
            // What ustar cannot hold: old and far times, long names, ids.
            try Tool.shell(
                "chmod -R u+rwx \"$1\"; rm -rf \"$1\"/names \"$1\"/links/long; find \"$1\" -exec touch -h -d @1700000000 {} +",
                tree)
        }
        let archive = scratch.path.appending("b.tar.gz")
        let (_, written) = try Backups.archive(tree, to: archive)
        let again = scratch.path.appending("again.tar.gz")
        try Tool.shell(
            """
            mkdir "$2" && tar -xpzf "$1" -C "$2" && mv "$2/mlflow_backup" "$2/my own copy"
            tar --format=\(format) -czf "$3" -C "$2" "my own copy"
            """, archive, scratch.path.appending("x"), again)
        let report = try ContentVerifier().verify(TarGzipReader(again))
        #expect(report.manifest == Backups.manifest)
        #expect(report.files == written.files + 2)
        let out = scratch.path.appending("out")
        _ = try Backups.extract(TarGzipReader(again), into: out)
        let before = try TreeSnapshot(tree)
        let after = try TreeSnapshot(out)
        #expect(after.items.mapValues(\.digest) == before.items.mapValues(\.digest))
        #expect(after.items.mapValues(\.mode) == before.items.mapValues(\.mode))
        #expect(after.items.mapValues(\.modified.seconds) == before.items.mapValues(\.modified.seconds))
    }

    @Test("a folder packed again without a top folder is refused as such, not as an attack")
    func noTopFolder() throws {
        let scratch = try Scratch()
        let archive = scratch.path.appending("b.tar.gz")
        try Backups.archive(scratch.folder("tree"), to: archive)
        let again = scratch.path.appending("again.tar.gz")
        try Tool.shell(
            "mkdir \"$2\" && tar -xzf \"$1\" -C \"$2\" && tar -czf \"$3\" -C \"$2/mlflow_backup\" .", archive,
            scratch.path.appending("x"), again)
        #expect(try Refusal.of { _ = try ContentVerifier().verify(TarGzipReader(again)) } == .notABackup)
    }
}
