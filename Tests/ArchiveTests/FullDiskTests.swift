// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO
import Testing

@Suite("The disk fills up", .enabled(if: geteuid() == 0, "mounting a small file system needs root"))
struct FullDiskTests {
    private func onSmallDisk(_ body: (Scratch, FilePath) throws -> Void) throws {
        let scratch = try Scratch()
        let disk = try scratch.folder("disk")
        try Tool.mustRun("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk.string])
        defer { _ = try? Tool.run("umount", ["-l", disk.string]) }
        try body(scratch, disk)
    }

    @Test("under the writer: it says so, says so again when asked again, and its threads end", arguments: [1, 2])
    func writing(threads: Int) throws {
        try onSmallDisk { scratch, disk in
            var random = SeededRandom(51)
            let tree = try scratch.folder("tree")
            for number in 0..<8 { try scratch.file("tree/\(number)", random.noise(5 << 20)) }
            let writer = try TarGzipWriter(creating: disk.appending("b.partial"), threads: threads)
            let error = #expect(throws: SystemError.self) {
                _ = try TreeArchiver(into: writer).add(tree: tree, as: .artifacts)
            }
            #expect(error?.isFull == true)
            // Must not wait for a member that nobody will write any more.
            let again = #expect(throws: SystemError.self) { _ = try writer.finish() }
            #expect(again?.isFull == true)
        }
    }

    @Test("under the folder writer and the extractor")
    func others() throws {
        try onSmallDisk { scratch, disk in
            var random = SeededRandom(52)
            let tree = try scratch.folder("tree")
            for number in 0..<4 { try scratch.file("tree/\(number)", random.noise(5 << 20)) }
            let folder = #expect(throws: SystemError.self) {
                try Backups.write(tree, with: FolderWriter(creating: disk.appending("b")))
            }
            #expect(folder?.isFull == true)
            let archive = scratch.path.appending("b.tar.gz")
            try Backups.archive(tree, to: archive)
            try Tool.shell("rm -rf \"$1\"/b", disk)
            let restore = #expect(throws: SystemError.self) {
                _ = try Backups.extract(TarGzipReader(archive), into: disk.appending("out"))
            }
            #expect(restore?.isFull == true)
        }
    }
}
