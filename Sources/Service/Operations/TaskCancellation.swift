// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Tells one task to end, and remembers who wanted it: the task's record says so.
///
/// A task that is past the point where it can be undone goes on and ends as it ends.
public final class TaskCancellation: Sendable {
    public enum Reason: Sendable {
        /// Somebody cancelled the task.
        case requested
        /// Ctrl-C or SIGTERM, at the command line.
        case interrupted
        /// The service stops, and the task's time is up.
        case stopping

        var text: BilingualText {
            switch self {
            case .requested:
                BilingualText(
                    zh: "任务已按要求取消，一切与开始前一样。", en: "the task was cancelled on request, and everything is as before.")
            case .interrupted:
                BilingualText(
                    zh: "被 Ctrl-C 或终止信号中断，一切与开始前一样。", en: "it was interrupted by a signal, and everything is as before."
                )
            case .stopping:
                BilingualText(
                    zh: "服务停止时任务尚未完成，已中止，一切与开始前一样。请重新发起。",
                    en: "it was cancelled because the service stopped, and everything is as before. Start it again.")
            }
        }
    }

    /// What the engines look at between their steps.
    public let flag = Cancellation()
    private let first = Monitor<Reason?>(nil)

    public init() {}

    /// The first reason is the one that counts.
    public func cancel(_ reason: Reason) {
        first.withLock { if $0 == nil { $0 = reason } }
        flag.cancel()
    }

    var reason: Reason { first.withLock { $0 } ?? .requested }
}
