// SPDX-License-Identifier: Apache-2.0

import Archive
import SystemIO
import Testing

@Suite("A hostile archive writes nothing outside its folder")
struct HostileTarTests {
    struct Hostile: Sendable, CustomTestStringConvertible {
        let title: String
        /// Python that adds to `tar`, an open tarfile, with the functions of `prelude`.
        let script: String
        let refusal: Refusal
        var testDescription: String { title }
    }

    private static let prelude = """
        import io, sys, tarfile, gzip, struct
        A = 'mlflow_backup/artifacts/'
        out = sys.argv[1]
        def entry(name, kind=tarfile.REGTYPE, data=b'x', link='', **more):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            for key, value in more.items(): setattr(info, key, value)
            tar.addfile(info, io.BytesIO(data) if kind == tarfile.REGTYPE else None)
        def folder(name): entry(name, tarfile.DIRTYPE, mode=0o755)
        def symlink(name, to): entry(name, tarfile.SYMTYPE, link=to)
        def hardlink(name, to): entry(name, tarfile.LNKTYPE, link=to)
        def block(name, kind=b'0', size=b'00000000000\\0', link=b''):
            b = bytearray(512)
            b[0:len(name)] = name
            b[100:108] = b'0000644\\0'; b[108:116] = b'0000000\\0'; b[116:124] = b'0000000\\0'
            b[124:136] = size; b[136:148] = b'00000000000\\0'
            b[156:157] = kind; b[157:157 + len(link)] = link; b[257:265] = b'ustar\\x0000'
            b[148:156] = b' ' * 8
            b[148:156] = b'%06o\\0 ' % sum(b)
            return bytes(b)
        def raw(data):
            with gzip.open(out, 'wb', 1) as f: f.write(data)
        def pax(record): return record + bytes(-len(record) % 512)
        END = bytes(1024)
        NAME = b'mlflow_backup/artifacts/f'

        """

    static let hostile: [Hostile] = [
        .init(title: "../ in a name", script: "entry(A + '../../../evil')", refusal: .unsafeEntry),
        .init(title: "../ at the start", script: "entry('../evil')", refusal: .unsafeEntry),
        .init(title: "an absolute name", script: "entry('/tmp/evil')", refusal: .unsafeEntry),
        .init(title: "a link out", script: "symlink(A + 'l', '../../../..')", refusal: .unsafeEntry),
        .init(title: "an absolute link", script: "symlink(A + 'l', '/etc')", refusal: .unsafeEntry),
        .init(
            title: "a link from the artifacts to the database", script: "symlink(A + 'l', '../database')",
            refusal: .unsafeEntry),
        .init(
            title: "a file through a link", script: "symlink(A + 'l', 'd'); entry(A + 'l/evil')", refusal: .unsafeEntry),
        .init(
            title: "a link in place of a folder",
            script: "folder(A + 'l'); entry(A + 'l/f'); symlink(A + 'l', '.')", refusal: .unsafeEntry),
        .init(
            title: "a chain that climbs", script: "symlink(A + 'a', '.'); symlink(A + 'b', 'a/..')",
            refusal: .unsafeEntry),
        .init(
            title: "a longer chain that climbs",
            script: "folder(A + 'd'); symlink(A + 'd/l', '..'); symlink(A + 'e', 'd/l/..')", refusal: .unsafeEntry),
        .init(title: "a hard link out", script: "hardlink(A + 'h', '../../etc/passwd')", refusal: .unsafeEntry),
        .init(title: "an absolute hard link", script: "hardlink(A + 'h', '/etc/passwd')", refusal: .unsafeEntry),
        .init(
            title: "a hard link into the database",
            script: "entry('mlflow_backup/database/toc.dat'); hardlink(A + 'h', 'mlflow_backup/database/toc.dat')",
            refusal: .unsafeEntry),
        .init(
            title: "a hard link that moves a symbolic link up",
            script: "folder(A + 'd/e'); symlink(A + 'd/e/l', '../../x'); hardlink(A + 'up', A + 'd/e/l')",
            refusal: .unsafeEntry),
        .init(title: "a hard link to nothing", script: "hardlink(A + 'h', A + 'absent')", refusal: .unsafeEntry),
        .init(
            title: "a hard link to a folder", script: "folder(A + 'd'); hardlink(A + 'h', A + 'd')",
            refusal: .unsafeEntry),
        .init(title: "the same name twice", script: "entry(A + 'f'); entry(A + 'f')", refusal: .unsafeEntry),
        .init(
            title: "the same link twice", script: "symlink(A + 'f', 'x'); symlink(A + 'f', 'y')", refusal: .unsafeEntry),
        .init(
            title: "a file and a link of one name", script: "symlink(A + 'f', 'x'); entry(A + 'f')",
            refusal: .unsafeEntry),
        .init(title: "a file used as a folder", script: "entry(A + 'f'); entry(A + 'f/g')", refusal: .unsafeEntry),
        .init(
            title: "a character device", script: "entry(A + 'd', tarfile.CHRTYPE, devmajor=1, devminor=3)",
            refusal: .unsafeEntry),
        .init(
            title: "a block device", script: "entry(A + 'd', tarfile.BLKTYPE, devmajor=8, devminor=0)",
            refusal: .unsafeEntry),
        .init(title: "a pipe", script: "entry(A + 'p', tarfile.FIFOTYPE)", refusal: .unsafeEntry),
        .init(
            title: "a name with NUL in a pax record",
            script: "entry(A + 'f', pax_headers={'path': A + 'f\\0/../../evil'})", refusal: .unsafeEntry),
        .init(
            title: "a pax header of ten gigabytes",
            script: "raw(block(b'x', b'x', b'%011o\\0' % (10 << 30)) + bytes(4096))", refusal: .damaged),
        .init(
            title: "a pax record longer than its header",
            script: "raw(block(b'x', b'x', b'%011o\\0' % 20) + pax(b'99999 path=evil\\n') + block(NAME) + END)",
            refusal: .damaged),
        .init(
            title: "a pax record of negative length",
            script: "raw(block(b'x', b'x', b'%011o\\0' % 20) + pax(b'-9 path=evil12345678') + block(NAME) + END)",
            refusal: .damaged),
        .init(
            title: "a pax size of 2^64-1",
            script:
                "r = b'29 size=18446744073709551615\\n'; raw(block(b'x', b'x', b'%011o\\0' % len(r)) + pax(r) + block(NAME) + END)",
            refusal: .damaged),
        .init(
            title: "a size of 2^64-1 outside every route",
            script: "raw(block(b'mlflow_backup/other', size=b'\\x80\\0\\0\\0' + b'\\xff' * 8) + END)", refusal: .damaged
        ),
        .init(
            title: "a size of 2^61", script: "raw(block(NAME, size=b'\\x80\\0\\0\\0\\x20' + bytes(7)) + END)",
            refusal: .truncated),
        .init(title: "a negative size", script: "raw(block(NAME, size=b'\\xff' * 12) + END)", refusal: .damaged),
        .init(
            title: "a size that is no number", script: "raw(block(NAME, size=b'-0000000001\\0') + END)",
            refusal: .damaged),
        .init(
            title: "an old GNU sparse file", script: "raw(block(NAME, b'S') + END)", refusal: .unsafeEntry),
        .init(
            title: "a pax sparse file",
            script: """
                entry('mlflow_backup/artifacts/GNUSparseFile.0/f', data=b'1\\n0\\n1\\n'.ljust(512, b'\\0') + b'x',
                  pax_headers={'GNU.sparse.major': '1', 'GNU.sparse.minor': '0',
                               'GNU.sparse.name': A + 'f', 'GNU.sparse.realsize': '1'})
                """, refusal: .unsafeEntry),
        .init(title: "nothing in it", script: "pass", refusal: .notABackup),
        .init(title: "two folders at its top", script: "entry('a/f'); entry('b/f')", refusal: .notABackup),
        .init(title: "files at its top", script: "entry('notes.txt')", refusal: .notABackup),
        .init(title: "a file in place of the end", script: "raw(block(NAME))", refusal: .truncated),
        .init(
            title: "something after the end", script: "raw(block(NAME) + END + block(NAME) + END)", refusal: .damaged),
        .init(
            title: "a lone block of zeros", script: "raw(block(NAME) + bytes(512) + block(NAME) + END)",
            refusal: .damaged),
        .init(title: "compressed text", script: "raw(b'hello world\\n' * 1000)", refusal: .notABackup),
        .init(title: "a plain text file", script: "open(out, 'w').write('hello world')", refusal: .notABackup),
        .init(title: "an uncompressed tar", script: "open(out, 'wb').write(block(NAME) + END)", refusal: .notABackup),
        .init(title: "an empty file", script: "open(out, 'wb')", refusal: .truncated),
    ]

    private static func make(_ script: String, at path: FilePath) throws {
        // A script that writes the file itself does so after the tarfile is closed.
        let writesItself = script.contains("raw(") || script.contains("open(out")
        let body = script.split(separator: "\n").joined(separator: "\n")
        try Tool.mustRun(
            "python3",
            [
                "-c",
                prelude
                    + (writesItself
                        ? "" : "tar = tarfile.open(out, 'w:gz', compresslevel=1, format=tarfile.PAX_FORMAT)\n")
                    + body + "\n" + (writesItself ? "" : "tar.close()\n"), path.string,
            ])
    }

    @Test("and is refused for the right reason", arguments: hostile)
    func refused(_ hostile: Hostile) throws {
        let scratch = try Scratch()
        let archive = scratch.path.appending("h.tar.gz")
        try Self.make(hostile.script, at: archive)
        let inside = try scratch.folder("deep/root")
        let destination = inside.appending("artifacts")
        try scratch.file("deep/canary", Array("canary".utf8))
        let before = try TreeSnapshot(scratch.path)

        let extraction = try Refusal.of { _ = try Backups.extract(TarGzipReader(archive), into: destination) }
        // An empty archive has nothing to extract; only the verifier can miss something in it.
        if hostile.title != "nothing in it" { #expect(extraction == hostile.refusal) }
        try Tool.shell("chmod -R u+rwx \"$1\"; rm -rf \"$1\"", destination)
        let after = try TreeSnapshot(scratch.path)
        #expect(
            after.items.mapValues(\.digest) == before.items.mapValues(\.digest),
            "\(after.differences(from: before))")
        // Whatever the extractor refuses, the verifier must not call good.
        #expect(try Refusal.of { _ = try ContentVerifier().verify(TarGzipReader(archive)) } != nil)
    }

    @Test("a name with ./ and doubled slashes lands where it says")
    func harmless() throws {
        let scratch = try Scratch()
        let archive = scratch.path.appending("h.tar.gz")
        try Self.make("entry('./mlflow_backup//artifacts/./f')", at: archive)
        let out = scratch.path.appending("out")
        #expect(try Backups.extract(TarGzipReader(archive), into: out).files == 1)
        #expect(try Directory.names(in: out) == [Array("f".utf8)])
    }

    @Test(
        "a bomb in place of the manifest or the index is refused without filling the memory",
        arguments: ["manifest", "index"])
    func bomb(name: String) throws {
        let scratch = try Scratch()
        let archive = scratch.path.appending("h.tar.gz")
        let other = name == "manifest" ? "index" : "manifest"
        try Self.make(
            """
            entry('mlflow_backup/\(other).json')
            class Zeros(io.RawIOBase):
                def read(self, n): return bytes(n)
            info = tarfile.TarInfo('mlflow_backup/\(name).json'); info.size = 200 << 20
            tar.addfile(info, Zeros())
            """, at: archive)
        #expect(try Refusal.of { _ = try ContentVerifier().verify(TarGzipReader(archive)) } == .notABackup)
    }

    @Test("an archive without a manifest, and one without an index, are not backups")
    func incomplete() throws {
        let scratch = try Scratch()
        let bare = scratch.path.appending("bare.tar.gz")
        try Self.make("entry(A + 'f')", at: bare)
        #expect(try Refusal.of { _ = try ContentVerifier().verify(TarGzipReader(bare)) } == .notABackup)
        let half = scratch.path.appending("half.tar.gz")
        try Self.make("entry(A + 'f'); entry('mlflow_backup/manifest.json', data=b'{}')", at: half)
        #expect(try Refusal.of { _ = try ContentVerifier().verify(TarGzipReader(half)) } == .notABackup)
        #expect(try Refusal.of { _ = try IndexedArchive(half) } == .truncated)
    }
}
