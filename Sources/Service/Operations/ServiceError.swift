// SPDX-License-Identifier: Apache-2.0

import Wording

/// Why the service does not take a request.
public enum ServiceError: ExplainedError, Equatable {
    case stopping
    case queueFull(waiting: Int)
    case noSuchTask(String)

    public var explanation: BilingualText {
        switch self {
        case .stopping:
            BilingualText(
                zh: "服务正在停止，不接受新任务。请稍后重试。", en: "The service is stopping and takes no more tasks. Try again later.")
        case .queueFull(let waiting):
            BilingualText(
                zh: "已有 \(waiting) 个任务在等待。请等它们完成后再发起。",
                en: "\(waiting) tasks are waiting already. Wait until they are done.")
        case .noSuchTask(let id):
            BilingualText(
                zh: "没有任务 \(id)。用 GET /tasks 查看全部任务。", en: "There is no task \(id). GET /tasks lists all of them.")
        }
    }
}
