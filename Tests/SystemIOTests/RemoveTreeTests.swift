// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import TestSupport
import Testing

@Suite("A tree is removed whole, and nothing beyond it")
struct RemoveTreeTests {
    private func removing(_ path: FilePath) -> SystemError? {
        do throws(SystemError) {
            try Directory.removeTree(path)
            return nil
        } catch { return error }
    }

    @Test(
        "what is mounted inside is left, and named before anything is removed (C2)",
        .enabled(if: geteuid() == 0, "mounting needs root"), arguments: ["--bind", "-t tmpfs"])
    func mounts(kind: String) throws {
        let folder = try TemporaryFolder("removal")
        let (tree, other) = (folder.path.appending("tree"), folder.path.appending("other"))
        try folder.write("other/precious", "precious")
        try folder.write("tree/a/file", "file")
        try Directory.make(tree.appending("z/mounted here"))
        let point = tree.appending("z/mounted here")
        try Shell.sh("mount \(kind) '\(other)' '\(point)' && echo precious > '\(point)/precious'")
        defer { _ = try? Shell.sh("umount '\(point)'") }
        let error = removing(tree)
        #expect(error?.code == EXDEV && error?.path == point.string)
        #expect(try Shell.sh("cat '\(point)/precious' '\(tree)/a/file'") == "precious\nfile")
        // The mount itself is no tree of ours either, and nothing of it is changed.
        try Shell.sh("chmod 555 '\(point)'")
        #expect(removing(point)?.code == EXDEV)
        #expect(try Shell.sh("cat '\(point)/precious'; stat -c %a '\(point)'") == "precious\n555\n")
        try Shell.sh("umount '\(point)'")
        #expect(removing(tree) == nil)
        #expect(try FileStatus.ifPresent(tree) == nil)
        #expect(try Directory.names(in: other) == [Array("precious".utf8)])
    }

    @Test("a tree that is deeper than a process may have files open (C54), and one with a folder that gives no right")
    func deep() throws {
        let folder = try TemporaryFolder("deep")
        try Shell.sh(
            """
            cd '\(folder.path)' && mkdir tree && cd tree && for n in $(seq 400); do mkdir d f$n && cd d && echo $n > file; done
            cd '\(folder.path)' && mkdir -p tree/shut/in && echo x > tree/shut/in/x && ln -s /etc tree/link && chmod 0 tree/shut/in tree/shut
            """)
        let before = try Shell.sh("ls /proc/self/fd | wc -l")
        #expect(removing(folder.path.appending("tree")) == nil)
        #expect(try FileStatus.ifPresent(folder.path.appending("tree")) == nil)
        #expect(try Shell.sh("ls /proc/self/fd | wc -l") == before)
        #expect(try FileStatus.ifPresent("/etc/passwd") != nil)
    }

    @Test("two who remove one tree both find it gone")
    func twice() throws {
        let folder = try TemporaryFolder("twice")
        let tree = folder.path.appending("tree")
        try Shell.sh(
            "mkdir '\(tree)' && cd '\(tree)' && for d in $(seq 40); do mkdir -p $d/in && touch $d/$(seq -s \" $d/in/\" 40); done"
        )
        let errors = Monitor<[SystemError]>([])
        let removers = try (0..<2).map { number in
            try WorkerThread("remover-\(number)") {
                do throws(SystemError) { try Directory.removeTree(tree) } catch {
                    errors.withLock { [error] in $0.append(error) }
                }
            }
        }
        for remover in removers { remover.join() }
        #expect(errors.withLock { $0 } == [])
        #expect(try FileStatus.ifPresent(tree) == nil)
    }

    @Test("a file, a link to a folder, a path with a slash at its end, and what is not there")
    func single() throws {
        let folder = try TemporaryFolder("single")
        try folder.write("kept/file", "file")
        try folder.write("gone", "gone")
        try Shell.sh("cd '\(folder.path)' && ln -s kept link && mkdir -p dir/inner")
        for name in ["gone", "link", "dir/", "never"] {
            #expect(removing(FilePath(folder.path.string + "/" + name)) == nil)
        }
        #expect(try Directory.names(in: folder.path) == [Array("kept".utf8)])
        #expect(try Shell.sh("cat '\(folder.path)/kept/file'") == "file")
    }

    @Test("few folders are open at once, and one that was closed is the same when it is come back to")
    func descent() throws {
        let folder = try TemporaryFolder("descent")
        try Shell.sh("cd '\(folder.path)' && mkdir -p a/b/c/d/e/f a/x")
        let root = try OpenFile(folder.path, .directory)
        var descent = FolderDescent(root: root, limit: 2)
        func open(_ folder: OpenFile, _ name: [UInt8]) throws(SystemError) -> OpenFile {
            try folder.open(name, .directory)
        }
        func names(_ path: String) -> ArraySlice<ArraySlice<UInt8>> {
            path.split(separator: "/").map { Array($0.utf8)[...] }[...]
        }
        _ = try descent.go(to: names("a/b/c/d/e/f"), open)
        let inode = try FileStatus.of(folder.path.appending("a/b/c/d")).inode
        try descent.leave(to: 5)
        try descent.leave(to: 4)
        #expect(try descent.folder.status().inode == inode)
        // Several at once: by its names.
        #expect(
            try descent.go(to: names("a/x"), open).status().inode == FileStatus.of(folder.path.appending("a/x")).inode)
        _ = try descent.go(to: names("a/b/c/d/e"), open)
        // Another one in its place is not taken for it, though its child is still there to ask.
        try Shell.sh("cd '\(folder.path)' && mv a/b/c/d moved && mkdir a/b/c/d && mv a/b/c gone && mkdir -p a/b/c")
        try descent.leave(to: 4)
        #expect(try descent.folder.status().inode == inode)
        #expect(throws: SystemError.self) { try descent.leave(to: 3) }
        #expect(descent.depth == 0)
    }

    @Test("a folder that may not be entered any more does not keep a walk from going up", .enabled(if: geteuid() == 0))
    func shut() throws {
        let folder = try TemporaryFolder("shut")
        try Shell.sh("cd '\(folder.path)' && mkdir -p a/b && chown -R 4301:4301 .")
        let root = folder.path
        try OrdinaryUser.run(4301) {
            var descent = FolderDescent(root: try OpenFile(root, .directory), limit: 1)
            for name in ["a", "b"].map({ Array($0.utf8) }) {
                try descent.enter(name, descent.folder.open(name, .directory))
            }
            try descent.folder.setMode(0)
            try descent.leave(to: 1)
            #expect(try descent.folder.status().inode == FileStatus.of(root.appending("a")).inode)
        }
    }
}
