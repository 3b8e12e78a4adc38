// SPDX-License-Identifier: Apache-2.0

import Wording

/// How the program ends. This is the only place that knows which sort of failure has which code.
enum ExitCode: Int32 {
    case success = 0
    case failure = 1
    case usage = 2
    case notFound = 3
    case busy = 4
    /// Refused, because it would overwrite newer data, or bring an older schema or one of unknown age; `--force` goes on.
    case refused = 5
    /// An archive is damaged or is not a backup.
    case corrupt = 6
    case noRoom = 7
    /// The backup was made, and is far smaller than those before it: a person has to accept it.
    case suspicious = 8
    /// The backup was made, and lacks artifacts that its database names.
    case partial = 9
    case interrupted = 130

    init(_ error: any Error) {
        switch error.kindOfFailure {
        case .notFound: self = .notFound
        case .busy: self = .busy
        case .refused: self = .refused
        case .damaged: self = .corrupt
        case .noRoom: self = .noRoom
        case .usage: self = .usage
        case .cancelled: self = .interrupted
        case .conflict, .unavailable, .failed: self = .failure
        }
    }

    static let help = BilingualText(
        zh: """
            退出码: 0 成功，1 失败，2 用法或设置错误，3 没有该备份，4 另一任务正在运行，
                    5 会覆盖更新的数据，或数据库结构不同（需 --force），6 备份已损坏，7 空间不足，8 备份已完成但可疑，
                    9 备份已完成但不完整，130 被中断
            """,
        en: """
            Exit codes: 0 success, 1 failure, 2 usage or settings, 3 no such backup, 4 another task is running,
                        5 would overwrite newer data, or differs in schema (needs --force), 6 the backup is damaged, 7 no room,
                        8 made but suspicious, 9 made but partial, 130 interrupted
            """)
}
