// SPDX-License-Identifier: Apache-2.0

import Wording

/// Why the service does not take a request.
package enum ServiceError: CodedError, Equatable {
    case stopping
    case queueFull(waiting: Int)
    case noSuchTask(String)
    /// The very same is asked for already, by a task that has not ended.
    case alreadyRequested(task: String)
    /// A task that was to be cancelled.
    case alreadyEnded(task: String)
    /// A task that another service works on: only that one can cancel it.
    case ownedElsewhere(task: String, process: Int32)
    /// Nothing is known of it yet, since the first look at a disk or a server takes long.
    case notSeenYet

    package var errorCode: String {
        switch self {
        case .stopping: "stopping"
        case .queueFull: "queue-full"
        case .noSuchTask: "no-such-task"
        case .alreadyRequested: "already-requested"
        case .alreadyEnded: "already-ended"
        case .ownedElsewhere: "owned-elsewhere"
        case .notSeenYet: "not-seen-yet"
        }
    }

    package var failureKind: FailureKind {
        switch self {
        case .stopping, .notSeenYet: .unavailable
        case .queueFull, .alreadyRequested, .alreadyEnded, .ownedElsewhere: .conflict
        case .noSuchTask: .notFound
        }
    }

    package var explanation: BilingualText {
        switch self {
        case .stopping:
            BilingualText(
                zh: "服务正在停止，不接受新任务。请稍后重试。", en: "The service is stopping and takes no more tasks. Try again later.")
        case .queueFull(let waiting):
            BilingualText(
                zh: "已有 \(waiting) 个任务在等待。请等它们完成后再发起。",
                en: "\(waiting) tasks are waiting already. Wait until they are done.")
        case .noSuchTask(let id):
            BilingualText(zh: "没有任务 \(id)。", en: "There is no task \(id).")
        case .alreadyRequested(let task):
            BilingualText(
                zh: "任务 \(task) 正在做同样的事，没有再次发起。请等待其结束。",
                en: "The task \(task) does the same already, so no second one was started. Wait until it has ended.")
        case .alreadyEnded(let task):
            BilingualText(zh: "任务 \(task) 已经结束，无法取消。", en: "The task \(task) has ended: nothing is left to cancel.")
        case .ownedElsewhere(let task, let process):
            BilingualText(
                zh: "任务 \(task) 由另一个备份服务（进程 \(process)）执行，请在那里取消。",
                en: "The task \(task) belongs to another backup service (process \(process)): cancel it there.")
        case .notSeenYet:
            BilingualText(
                zh: "备份目录、任务记录或数据库尚未应答，请稍后重试。",
                en: "The backup folder, the task records or the database have not answered yet. Try again later.")
        }
    }
}
