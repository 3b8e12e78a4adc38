// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import SystemIO
import Testing

@Suite("Files and folders")
struct FileTests {
    @Test("a path is taken apart and put together as the kernel would")
    func paths() {
        #expect(FilePath("/a/b").parent == "/a")
        #expect(FilePath("/a").parent == "/")
        #expect(FilePath("/").parent == "/")
        #expect(FilePath("a").parent == ".")
        #expect(FilePath("/a/b").lastComponent == Array("b".utf8))
        #expect(FilePath("/a/").appending("b") == "/a/b")
        #expect(FilePath("/").appending("b") == "/b")
        #expect(FilePath("").appending("b") == "b")
        #expect(FilePath(bytes: [0x61, 0, 0x62]) == "a")
        #expect(FilePath("caf\u{e9}") != FilePath("cafe\u{301}"))
        #expect(FilePath(bytes: [0xff]).bytes == [0xff])
    }

    @Test("a file on which another program has a lease is waited for, as long as the kernel gives that")
    func lease() throws {
        let scratch = try Scratch()
        let file = try scratch.file("leased", "content")
        // What tells its holder of somebody who waits.
        signal(SIGIO, SIG_IGN)
        let holder = try OpenFile(file, .readNoFollow)
        let taken = holder.withDescriptor { fcntl($0, 1024 /* F_SETLEASE */, F_WRLCK) }
        try #require(taken == 0, "no leases here: \(String(cString: strerror(errno)))")
        let started = Monitor(false)
        let giver = try WorkerThread("lease") {
            while !started.withLock({ $0 }) { usleep(1000) }
            usleep(100_000)
            _ = holder.withDescriptor { fcntl($0, 1024, F_UNLCK) }
        }
        started.withLock { $0 = true }
        #expect(try OpenFile(file, .readNoFollow).readAll() == Array("content".utf8))
        giver.join()
    }

    @Test("a replaced file is the old or the new one, never a mix, with two writers and a reader")
    func replaceIsAtomic() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("state.json")
        let texts = ["a", "b"].map { Array(String(repeating: $0, count: 200_000).utf8) }
        try DurableFile.replace(path, with: texts[0])
        let failures = Monitor<[String]>([])
        let writers = try texts.map { text in
            try WorkerThread("writer") {
                for _ in 0..<60 {
                    do { try DurableFile.replace(path, with: text) } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                }
            }
        }
        for _ in 0..<300 {
            let seen = try OpenFile(path, .read).readAll()
            #expect(texts.contains(seen))
        }
        writers.forEach { $0.join() }
        #expect(failures.withLock { $0 } == [])
        #expect(try scratch.names == ["state.json"])
    }

    @Test("what a crash left half written is neither in the way nor taken for the file")
    func leftovers() throws {
        let scratch = try Scratch()
        for number in 0..<500 { try scratch.file("s.\(getpid())-\(number).partial", "half") }
        try DurableFile.replace(scratch.path.appending("s"), with: [1])
        #expect(try OpenFile(scratch.path.appending("s"), .read).readAll() == [1])
    }

    @Test("publishing never replaces what has the name already")
    func publish() throws {
        let scratch = try Scratch()
        let partial = try scratch.file("b.partial", "new")
        let final = try scratch.file("b", "old")
        let error = #expect(throws: SystemError.self) { try DurableFile.publish(partial, as: final) }
        #expect(error?.exists == true)
        #expect(try scratch.text("b") == "old")
        try Directory.remove(final)
        try DurableFile.publish(partial, as: final)
        #expect(try scratch.text("b") == "new")
    }

    @Test("a backup folder behind a symbolic link can be listed, synced and published into")
    func linkedFolder() throws {
        let scratch = try Scratch()
        try Directory.make(scratch.path.appending("real"))
        try OpenFile(scratch.path, .directory).makeSymbolicLink(
            Array("link".utf8), to: Array("real".utf8), modified: .now())
        let link = scratch.path.appending("link")
        let partial = try scratch.file("real/b.partial", "new")
        _ = partial
        try DurableFile.publish(link.appending("b.partial"), as: link.appending("b"))
        #expect(try Directory.names(in: link) == [Array("b".utf8)])
        try FileSystem.sync(holding: link)
    }

    @Test("a tree is removed whatever its modes, and links in it are removed, not followed")
    func removeTree() throws {
        let scratch = try Scratch()
        try scratch.file("keep", "precious")
        let made = try shell(
            """
            cd "$1" && mkdir -p t/a/b t/closed && ln -s ../keep t/link && ln -s .. t/a/up && touch t/a/b/f t/closed/f
            chmod 000 t/closed t/a/b && ln -s keep outer
            """, scratch.path)
        #expect(made.succeeded)
        try Directory.removeTree(scratch.path.appending("t/"))
        #expect(try scratch.names == ["keep", "outer"])
        try Directory.removeTree(scratch.path.appending("outer"))
        #expect(try scratch.text("keep") == "precious")
        try Directory.removeTree(scratch.path.appending("absent"))
    }

    @Test("a tree deeper than PATH_MAX is removed")
    func removeDeepTree() throws {
        let scratch = try Scratch()
        let made = try shell(
            "cd \"$1\" && mkdir t && cd -P t && n=$(printf %0250d 0) && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; "
                + "do mkdir $n && cd -P $n || exit 1; done", scratch.path)
        #expect(made.succeeded, "\(made.errors)")
        try Directory.removeTree(scratch.path.appending("t"))
        #expect(try scratch.names == [])
    }

    @Test("mkdir -p makes what is missing and is content with what is there")
    func makeFolders() throws {
        let scratch = try Scratch()
        try Directory.make(scratch.path.appending("a/b/c"))
        try Directory.make(scratch.path.appending("a/b/c"))
        try scratch.file("f")
        let error = #expect(throws: SystemError.self) { try Directory.make(scratch.path.appending("f")) }
        #expect(error?.code == ENOTDIR)
        #expect(Directory.isWritable(scratch.path))
    }

    @Test("opening a link, a missing file or an existing one says which of them it is")
    func opening() throws {
        let scratch = try Scratch()
        let file = try scratch.file("f", "text")
        try OpenFile(scratch.path, .directory).makeSymbolicLink(Array("l".utf8), to: Array("f".utf8), modified: .now())
        let link = #expect(throws: SystemError.self) { try OpenFile(scratch.path.appending("l"), .readNoFollow) }
        #expect(link?.code == ELOOP)
        let absent = #expect(throws: SystemError.self) { try OpenFile(scratch.path.appending("x"), .read) }
        #expect(absent?.isNotFound == true)
        let present = #expect(throws: SystemError.self) { try OpenFile(file, .createNew(mode: 0o600)) }
        #expect(present?.exists == true)
        let long = #expect(throws: SystemError.self) { try OpenFile(file, .read).readAll(limit: 3) }
        #expect(long?.code == EFBIG)
    }
}

@Suite("The lock")
struct AdvisoryLockTests {
    @Test("a second holder is refused, in this process and in another, and the note says who holds it")
    func refused() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("lock")
        var lock = try AdvisoryLock.tryLock(path, note: "backup 1")
        #expect(lock != nil)
        #expect(try AdvisoryLock.tryLock(path, note: "backup 2") == nil)
        #expect(AdvisoryLock.holder(of: path) == "backup 1")
        #expect(try shell("flock -n \"$1\" true", path).exit == .code(1))
        lock = nil
        #expect(try shell("flock -n \"$1\" true", path).exit == .code(0))
        #expect(try AdvisoryLock.tryLock(path, note: "2") != nil)
        #expect(AdvisoryLock.holder(of: path) == "2")
        #expect(AdvisoryLock.holder(of: scratch.path.appending("absent")) == "")
    }

    @Test("it is free when its holder is done, though a child that is just being started has the file, too")
    func inherited() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("lock")
        var lock = try AdvisoryLock.tryLock(path, note: "backup 1")
        // As a child has it between fork and exec: the same open file under another number.
        let found = try Directory.names(in: "/proc/self/fd").compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
            .first { (try? FilePath("/proc/self/fd/\($0)").resolved()) == path }
        let copy = dup(try #require(found))
        defer { close(copy) }
        #expect(try lock != nil && AdvisoryLock.tryLock(path, note: "2") == nil)
        lock = nil
        #expect(try AdvisoryLock.tryLock(path, note: "3") != nil)
    }

    @Test("it is free again when its holder is killed, and no stale file stands in the way")
    func killed() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("lock")
        let ready = Monitor<pid_t?>(nil)
        let worker = try WorkerThread("holder") {
            _ = try? ChildProcess(
                "/bin/sh", ["-c", "exec 9> \"$1\"; flock 9; echo $$ >&2; exec sleep 600", "holder", path.string],
                environment: ["PATH": "/usr/bin:/bin"]
            ).run { line in ready.withLock { $0 = pid_t(line) } }
        }
        let holder = ready.wait { $0 }
        #expect(try AdvisoryLock.tryLock(path, note: "me") == nil)
        kill(holder, SIGKILL)
        worker.join()
        #expect(try AdvisoryLock.tryLock(path, note: "me") != nil)
    }

    @Test(
        "it can be taken on a full disk: removing old backups needs it",
        .enabled(if: geteuid() == 0, "mounting a small file system needs root"))
    func fullDisk() throws {
        let scratch = try Scratch()
        let mounted = try shell("mkdir \"$1/d\" && mount -t tmpfs -o size=64k tmpfs \"$1/d\"", scratch.path)
        try #require(mounted.succeeded, "\(mounted.errors)")
        defer { _ = try? shell("umount -l \"$1/d\"", scratch.path) }
        _ = try shell("touch \"$1/d/lock\"; cat /dev/zero > \"$1/d/full\"", scratch.path)
        #expect(try AdvisoryLock.tryLock(scratch.path.appending("d/lock"), note: "prune") != nil)
        let error = #expect(throws: SystemError.self) {
            try DurableFile.replace(scratch.path.appending("d/state"), with: [1, 2, 3])
        }
        #expect(error?.isFull == true)
        #expect(try Directory.names(in: scratch.path.appending("d")).count == 2)
    }
}
