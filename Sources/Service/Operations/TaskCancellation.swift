// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Tells one task to end, and remembers who wanted it: the task's record says so.
///
/// A task that is past the point where it can be undone goes on and ends as it ends.
package final class TaskCancellation: Sendable {
    package enum Reason: Sendable {
        /// Somebody cancelled the task.
        case requested
        /// Ctrl-C or SIGTERM, at the command line.
        case interrupted
        /// The service stops, and the task's time is up.
        case stopping

        /// - Parameter made: names of the backups that were published by then.
        func text(_ kind: TaskRecord.Kind, _ made: [String] = []) -> BilingualText {
            let cause =
                switch self {
                case .requested: BilingualText(zh: "任务已按要求取消", en: "the task was cancelled on request")
                case .interrupted: BilingualText(zh: "被 Ctrl-C 或终止信号中断", en: "it was interrupted by a signal")
                case .stopping:
                    BilingualText(zh: "服务停止时任务尚未完成，已中止", en: "it was cancelled because the service stopped")
                }
            let advice =
                self == .stopping
                ? BilingualText(zh: "请重新发起。", en: " Start it again.") : BilingualText.empty
            return cause + Self.state(kind, made) + advice
        }

        private static func state(_ kind: TaskRecord.Kind, _ made: [String]) -> BilingualText {
            guard !made.isEmpty else {
                // To make room, a restore lets go early what an earlier one kept and a backup holds.
                if kind.replacesData {
                    return BilingualText(zh: "，线上数据与开始前一样。", en: ", and the live data is as before.")
                }
                return BilingualText(zh: "，一切与开始前一样。", en: ", and everything is as before.")
            }
            return BilingualText(
                zh: "，线上数据与开始前一样；在此之前做好的备份 \(made.joined(separator: "、")) 保留。",
                en:
                    ", and the live data is as before; what was backed up by then stays as \(made.joined(separator: ", "))."
            )
        }
    }

    /// What the engines look at between their steps.
    package let flag = Cancellation()
    private let first = Monitor<Reason?>(nil)

    package init() {}

    /// The first reason is the one that counts.
    package func cancel(_ reason: Reason) {
        first.withLock { if $0 == nil { $0 = reason } }
        flag.cancel()
    }

    var reason: Reason { first.withLock { $0 } ?? .requested }
}

/// How a cancelled task ended, in its own words: who wanted it, and what is left of it.
package struct TaskCancelled: CodedError {
    package let reason: TaskCancellation.Reason
    package let explanation: BilingualText
    package var errorCode: String { CancelledError().errorCode }
    package var failureKind: FailureKind { CancelledError().failureKind }

    init(_ reason: TaskCancellation.Reason, _ explanation: BilingualText) {
        self.reason = reason
        self.explanation = explanation
    }
}
