// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A program run without a shell. Its output is read while it runs, and its exit status is always collected.
package struct ChildProcess: Sendable {
    package enum Exit: Sendable, Equatable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)

        package var description: String {
            switch self {
            case .code(let code): "exit status \(code)"
            case .signal(let signal): "killed by signal \(signal)"
            }
        }
    }

    package struct Outcome: Sendable {
        package let exit: Exit
        /// The first megabyte of standard output.
        package let output: String
        /// The last 64 KiB of standard error: the end is where the reason stands.
        package let errors: String

        package var succeeded: Bool { exit == .code(0) }
    }

    package let executable: FilePath
    package let arguments: [String]
    package let environment: [String: String]

    /// - Parameters:
    ///   - executable: an absolute path; no PATH search is made.
    ///   - environment: the whole environment of the child; nothing is inherited.
    package init(_ executable: FilePath, _ arguments: [String], environment: [String: String] = [:]) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
    }

    /// Runs to the end. A cancelled child gets SIGTERM, and SIGKILL five seconds later.
    /// - Parameter onErrorLine: called on this thread with each whole line of standard error as it comes.
    /// - Throws: `SystemError` if it cannot be started, `CancelledError` once it was ended by `cancellation`.
    package func run(
        cancellation: Cancellation? = nil, onErrorLine: ((String) -> Void)? = nil
    ) throws -> Outcome {
        // The kernel would see only what stands before a NUL: another file, another option.
        for text in arguments + environment.flatMap({ [$0.key, $0.value] }) where text.utf8.contains(0) {
            throw SystemError("start", path: executable.string, code: EINVAL)
        }
        let (outputRead, outputWrite) = try pipeEnds()
        let (errorRead, errorWrite) = try pipeEnds()
        let input = try OpenFile("/dev/null", .read)
        var child: pid_t = 0
        let code = withCStrings([executable.string] + arguments) { argv in
            withCStrings(environment.map { "\($0.key)=\($0.value)" }.sorted()) { envp in
                executable.withCString { program in
                    input.withDescriptor {
                        clinux_spawn(
                            program, argv, envp, "/", $0, outputWrite.descriptor, errorWrite.descriptor, &child)
                    }
                }
            }
        }
        if code != 0 { throw SystemError("start", path: executable.string, code: code) }
        outputWrite.close()
        errorWrite.close()

        var output = CapturedStream(keepingFirst: 1 << 20)
        var errors = CapturedStream(keepingLast: 64 << 10)
        errors.onLine = onErrorLine
        var teardown = Teardown(child: child)
        while outputRead.isOpen || errorRead.isOpen {
            if cancellation?.isCancelled == true { teardown.advance() }
            var polled = [
                pollfd(fd: outputRead.isOpen ? outputRead.descriptor : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errorRead.isOpen ? errorRead.descriptor : -1, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&polled, 2, 200) < 0, errno != EINTR { break }
            if polled[0].revents != 0, !output.drain(outputRead.descriptor) { outputRead.close() }
            if polled[1].revents != 0, !errors.drain(errorRead.descriptor) { errorRead.close() }
        }
        errors.finish()
        let exit = reap(child, cancellation: cancellation, teardown: &teardown)
        if cancellation?.isCancelled == true, exit != .code(0) { throw CancelledError() }
        return Outcome(exit: exit, output: output.text, errors: errors.text)
    }

    /// A child may close its streams and go on; it is waited for all the same.
    private func reap(_ child: pid_t, cancellation: Cancellation?, teardown: inout Teardown) -> Exit {
        var status: Int32 = 0
        while true {
            let got = waitpid(child, &status, cancellation == nil ? 0 : WNOHANG)
            if got == child { break }
            if got < 0, errno != EINTR { return .code(127) }
            if got == 0 {
                if cancellation?.isCancelled == true { teardown.advance() }
                usleep(20_000)
            }
        }
        let signal = status & 0x7f
        return signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
    }
}

/// SIGTERM first, SIGKILL when that was not enough, to the child's whole process group.
private struct Teardown {
    let child: pid_t
    private var asked: UInt64?

    init(child: pid_t) { self.child = child }

    mutating func advance() {
        let now = MonotonicTime.nanoseconds()
        guard let first = asked else {
            asked = now
            kill(-child, SIGTERM)
            return
        }
        if now - first > 5_000_000_000 { kill(-child, SIGKILL) }
    }
}

/// One end of a pipe that is closed early, as soon as its other side has ended.
private final class PipeEnd {
    let descriptor: Int32
    private(set) var isOpen = true

    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close() }

    func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }
}

private func pipeEnds() throws(SystemError) -> (read: PipeEnd, write: PipeEnd) {
    var ends: [Int32] = [0, 0]
    try retryingInterrupts("pipe", "") { clinux_pipe(&ends) }
    return (PipeEnd(ends[0]), PipeEnd(ends[1]))
}

private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { pointers.forEach { free($0) } }
    return pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("never empty: it ends with nil") }
        return body(base)
    }
}
