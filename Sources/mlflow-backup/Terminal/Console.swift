// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// What a person at a terminal sees. Answers go to standard output, everything else to standard error.
struct Console: Sendable {
    let language: Language
    /// Whether standard error is a terminal, where a bar can be redrawn.
    let drawsProgress: Bool

    init(_ language: Language) {
        self.language = language
        drawsProgress = isatty(STDERR_FILENO) == 1
    }

    var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    /// What became of standard output, of whichever console: there is one.
    private static let output = Monitor((isUsed: false, failure: SystemError?.none))

    /// Whether anything was written there.
    static var hasAnswered: Bool { output.read { $0.isUsed } }
    /// Why not all of it could be, but for a reader who has gone.
    static var outputFailure: SystemError? { output.read { $0.failure } }

    func answer(_ text: String) {
        do throws(SystemError) { try answerOrThrow(text) } catch {
            // `list | head` has read enough.
            guard error.code != EPIPE else { return }
            Self.output.withLock { $0.failure = error }
        }
    }

    /// For answers that may be long, or go into a file.
    /// - Throws: `SystemError`: the disk behind a redirection may be full (ENOSPC), or nobody reads any more (EPIPE).
    func answerOrThrow(_ text: String) throws(SystemError) {
        Self.output.withLock { $0.isUsed = true }
        let bytes = Array((Printable.text(text, keepsLines: true) + "\n").utf8)
        try OpenFile(adopting: dup(STDOUT_FILENO), path: "standard output").write(bytes)
    }

    func answer(_ text: BilingualText) { answer(text[language]) }
    func note(_ text: BilingualText) {
        write(Printable.text(text[language], keepsLines: true) + "\n", to: STDERR_FILENO)
    }

    func error(_ text: BilingualText) {
        let words = Printable.text(text[language], keepsLines: true)
        write((language == .chinese ? "错误：" : "error: ") + words + "\n", to: STDERR_FILENO)
    }

    /// Asks and reads one line; `nil` at the end of input.
    /// - Throws: `CancelledError` at Ctrl-C and SIGTERM, which an operation before this leaves blocked; `SystemError`.
    func ask(_ question: BilingualText) throws -> String? {
        let interrupted = Cancellation()
        let signals = try SignalWatch([.interrupt, .terminate]) { _ in interrupted.cancel() }
        defer { signals.stop() }
        write(question[language], to: STDOUT_FILENO)
        var line: [UInt8] = []
        while true {
            if interrupted.isCancelled {
                write("\n", to: STDOUT_FILENO)
                throw CancelledError()
            }
            var polled = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            // The signals have a thread of their own; it is asked ten times a second.
            guard poll(&polled, 1, 100) > 0 else { continue }
            // Byte by byte: what follows the line is the next question's, or nobody's.
            var byte: UInt8 = 0
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return line.isEmpty ? nil : String(decoding: line, as: UTF8.self).trimmed }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self).trimmed }
            line.append(byte)
        }
    }

    func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
            }
            // Nobody reads any more (EPIPE), or the disk behind a redirection is full: nowhere to say so.
            if count < 0, errno != EINTR { return }
            done += max(count, 0)
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
