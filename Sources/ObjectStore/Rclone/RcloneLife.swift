// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// One child of a daemon, from its start to its end.
final class RcloneLife: Sendable {
    private let cancellation = Cancellation()
    private let ended = Monitor<String?>(nil)

    /// The child dies with the thread that started it (`clinux_spawn`), and that thread waits for it.
    init(_ child: ChildProcess) throws {
        let (cancellation, ended) = (cancellation, ended)
        _ = try WorkerThread("rclone") {
            let reason: String
            do {
                let outcome = try child.run(cancellation: cancellation)
                let lines = outcome.errors.split(whereSeparator: \.isNewline).suffix(2)
                reason = ([outcome.exit.description] + lines.map(String.init)).joined(separator: "; ")
            } catch {
                reason = "\(error)"
            }
            ended.withLock { $0 = reason }
        }
    }

    /// How it ended and what it said last; `nil` while it runs.
    var reasonOfDeath: String? { ended.read { $0 } }

    func isOver(within seconds: Double) -> Bool { ended.wait(atMost: seconds) { $0 } != nil }

    func end() {
        cancellation.cancel()
        _ = ended.wait { $0 }
    }
}
