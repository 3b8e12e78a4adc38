// SPDX-License-Identifier: Apache-2.0

import Wording

/// Where long work is.
package struct Progress: Sendable, Equatable {
    package enum Phase: String, Sendable, Codable {
        case waiting, checking, dumping, archiving, verifying, pruning, extracting, loading, comparing,
            swapping

        package var text: BilingualText {
            switch self {
            case .waiting: BilingualText(zh: "等待其他任务", en: "waiting for another task")
            case .checking: BilingualText(zh: "检查", en: "checking")
            case .dumping: BilingualText(zh: "导出数据库", en: "dumping the database")
            case .archiving: BilingualText(zh: "打包 artifacts", en: "archiving artifacts")
            case .verifying: BilingualText(zh: "校验", en: "verifying")
            case .pruning: BilingualText(zh: "清理过期备份", en: "removing expired backups")
            case .extracting: BilingualText(zh: "解包", en: "unpacking")
            case .loading: BilingualText(zh: "载入数据库", en: "loading the database")
            case .comparing: BilingualText(zh: "与线上数据比较", en: "comparing with the live data")
            case .swapping: BilingualText(zh: "切换到恢复的数据", en: "switching to the restored data")
            }
        }
    }

    package let phase: Phase
    /// Of the whole work, 0 to 1; `nil` where nobody can tell.
    package let fraction: Double?
    /// What is being worked on: a table, a count of files.
    package let detail: String

    package init(_ phase: Phase, fraction: Double? = nil, detail: String = "") {
        self.phase = phase
        self.fraction = fraction
        self.detail = detail
    }
}

package typealias ProgressSink = @Sendable (Progress) -> Void
