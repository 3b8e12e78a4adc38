// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// Ends the process where a stop does not come to its end: a thread that waits for a hung disk can be told nothing, and who asked for the
/// stop would take more from it than from this (what is under way is told first, and a crash at any moment is provided for).
final class StopDeadline: Sendable {
    private let isOver = Monitor(false)

    /// - Parameter seconds: what an orderly stop never takes.
    init(seconds: Double, log: Log) {
        do {
            _ = try WorkerThread("deadline") { [isOver] in
                guard isOver.wait(atMost: seconds, until: { $0 ? () : nil }) == nil else { return }
                log.error("stopped without waiting any longer: something does not answer", ["seconds": seconds])
                _exit(ExitCode.failure.rawValue)
            }
        } catch { log.warning("a stop may take long", ["reason": error.bilingual[.english]]) }
    }

    func end() { isOver.withLock { $0 = true } }
}
