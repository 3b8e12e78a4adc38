// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import TestSupport
import Testing

@testable import SystemIO

@Suite("Child processes")
struct ChildProcessTests {
    @Test("an exit code is kept", arguments: [0, 1, 2, 127, 255] as [Int32])
    func codes(code: Int32) throws {
        let outcome = try shell("exit \(code)")
        #expect(outcome.exit == .code(code))
        #expect(outcome.succeeded == (code == 0))
    }

    @Test("an end by signal is told from an exit code", arguments: [SIGKILL, SIGTERM, SIGSEGV])
    func signals(signal: Int32) throws {
        #expect(try shell("kill -\(signal) $$").exit == .signal(signal))
    }

    @Test("much output on both streams at once does not block the child, and memory stays bounded")
    func largeOutputs() throws {
        let outcome = try shell(
            "head -c 5000000 /dev/zero | tr '\\0' o & head -c 5000000 /dev/zero | tr '\\0' e >&2; wait; echo END >&2")
        #expect(outcome.succeeded)
        #expect(outcome.output.utf8.count == 1 << 20)
        #expect(outcome.errors.utf8.count == 64 << 10)
        #expect(outcome.errors.hasSuffix("END\n"))
    }

    @Test("lines of standard error come whole, the last one without its newline too")
    func lines() throws {
        var lines: [String] = []
        _ = try ChildProcess(
            "/bin/sh", ["-c", "printf 'one\\ntw' >&2; sleep 0.1; printf 'o\\n\\nlast' >&2"],
            environment: ["PATH": "/bin"]
        )
        .run { lines.append($0) }
        #expect(lines == ["one", "two", "", "last"])
    }

    @Test("a cancelled child that ignores SIGTERM is killed, with what it started")
    func cancellation() throws {
        let scratch = try Scratch()
        let stop = Cancellation()
        let outcome = Monitor<String?>(nil)
        let file = scratch.path.appending("pid").string
        let worker = try WorkerThread("child") {
            let child = ChildProcess(
                "/bin/sh", ["-c", "trap '' TERM; sleep 600 & echo $! > \(file); wait; sleep 600"],
                environment: ["PATH": "/usr/bin:/bin"])
            do {
                let result = try child.run(cancellation: stop)
                outcome.withLock { $0 = "\(result.exit)" }
            } catch {
                outcome.withLock { $0 = "\(type(of: error))" }
            }
        }
        while try FileStatus.ifPresent(FilePath(file)).map({ $0.size == 0 }) ?? true { usleep(10_000) }
        stop.cancel()
        worker.join()
        #expect(outcome.withLock { $0 } == "CancelledError")
        let grandchild = try #require(pid_t(try scratch.text("pid").split(separator: "\n")[0]))
        // Gone, or a zombie that nobody has asked after yet; on a busy machine it dies when its turn comes.
        try Patience.wait("the end of what the child started", atMost: 10) {
            guard let stat = try? OpenFile(FilePath("/proc/\(grandchild)/stat"), .read).readAll() else { return true }
            return String(decoding: stat, as: UTF8.self).contains(") Z ")
        }
    }

    @Test("the child sees three descriptors, even where the parent forgot close-on-exec")
    func descriptors() throws {
        let careless = Glibc.open("/dev/null", O_RDONLY)
        defer { close(careless) }
        let outcome = try ChildProcess("/bin/ls", ["/proc/self/fd"]).run()
        // The fourth is the one ls lists with.
        #expect(outcome.output == "0\n1\n2\n3\n")
    }

    @Test("arguments are handed over as they are: no shell looks at them")
    func arguments() throws {
        let arguments = ["a b", "$HOME", "`id`", ";rm", "", "*", "new\nline", "quote'\"", "模型"]
        let outcome = try ChildProcess("/usr/bin/printf", ["%s|"] + arguments).run()
        #expect(outcome.output == arguments.map { $0 + "|" }.joined())
    }

    @Test("nothing of our environment is inherited")
    func environment() throws {
        setenv("MLFLOW_BACKUP_TEST_SECRET", "hidden", 1)
        defer { unsetenv("MLFLOW_BACKUP_TEST_SECRET") }
        #expect(try ChildProcess("/usr/bin/env", [], environment: ["A": "1 2"]).run().output == "A=1 2\n")
    }

    @Test("a NUL in an argument is refused, not cut off there")
    func nul() {
        let error = #expect(throws: SystemError.self) { try ChildProcess("/bin/echo", ["a\0b"]).run() }
        #expect(error?.code == EINVAL)
    }

    @Test("a missing or unusable program is an error that names it", arguments: ["/absent", "/etc/passwd", "/tmp"])
    func missing(path: String) {
        let error = #expect(throws: SystemError.self) { try ChildProcess(FilePath(path), []).run() }
        #expect(error?.path == path)
        #expect(error?.code == (path == "/absent" ? ENOENT : EACCES))
    }

    @Test("a child that closes its streams and goes on is waited for")
    func closedStreams() throws {
        #expect(try shell("exec >&- 2>&-; sleep 0.3; exit 7").exit == .code(7))
    }

    @Test("no descriptor and no zombie is left behind")
    func leaks() throws {
        let scratch = try Scratch()
        _ = scratch
        // By their numbers: other tests have children at this moment, too, which are zombies for a while.
        let ours = try Set((0..<20).map { _ in try shell("echo $$").output.filter(\.isNumber) })
        #expect(ours.count == 20)
        let zombies = try shell("ps -o stat=,pid= --ppid \(getpid())").output.split(separator: "\n")
            .filter { $0.hasPrefix("Z") }.map { $0.filter(\.isNumber) }
        #expect(ours.isDisjoint(with: zombies))
    }

    @Test("a process is known by its start time as well as its number, and a zombie is no longer alive")
    func identity() throws {
        let me = ProcessIdentity.current()
        #expect(me.isAlive)
        #expect(!ProcessIdentity(pid: me.pid, startTicks: me.startTicks + 1, boot: me.boot).isAlive)
        #expect(!ProcessIdentity(pid: me.pid, startTicks: me.startTicks, boot: "another boot").isAlive)
        // A child whose parent has become a program that never asks for it stays a zombie until that one ends.
        let child = Monitor<Int32?>(nil)
        let stop = Cancellation()
        let worker = try WorkerThread("parent") {
            _ = try? ChildProcess(
                "/bin/sh", ["-c", "sleep 0.2 & echo $! >&2; exec sleep 600"], environment: ["PATH": "/usr/bin:/bin"]
            ).run(cancellation: stop) { line in child.withLock { $0 = Int32(line) } }
        }
        defer {
            stop.cancel()
            worker.join()
        }
        let pid = child.wait { $0 }
        var fields: [Substring] = []
        while fields.count < 22 || fields[2] != "Z" {
            let stat = try OpenFile(FilePath("/proc/\(pid)/stat"), .read).readAll()
            fields = String(decoding: stat, as: UTF8.self).split(separator: " ")
            usleep(10_000)
        }
        let ticks = try #require(UInt64(fields[21]))
        #expect(!ProcessIdentity(pid: pid, startTicks: ticks, boot: me.boot).isAlive)
    }
}
