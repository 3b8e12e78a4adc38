// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// A setting that cannot be used: which one, what it says (never for a secret), and what it may say.
package enum SettingsError: CodedError, Equatable {
    /// `shown` is `nil` for what must not be shown.
    case badValue(variable: String, shown: String?, allowed: BilingualText)
    case bothForms(variable: String)
    case unreadableFile(variable: String, cause: SystemError)
    case badLine(file: String, line: Int)
    /// `file` is empty for the environment.
    case unknownVariable(String, file: String, nearest: String)
    case missing(variable: String, neededBy: String)
    /// The API would be open to other machines.
    case openDoor(address: String)

    package var errorCode: String { "setting-invalid" }
    package var failureKind: FailureKind { .usage }

    package var explanation: BilingualText {
        switch self {
        case .badValue(let variable, let shown?, let allowed):
            BilingualText(
                zh: "设置 \(variable)=\(shown) 无效。允许：\(allowed.chinese)。",
                en: "The setting \(variable)=\(shown) is not valid. Allowed: \(allowed.english).")
        case .badValue(let variable, nil, let allowed):
            BilingualText(
                zh: "设置 \(variable) 的值无效（不显示）。允许：\(allowed.chinese)。",
                en: "The value of \(variable) is not valid (it is not shown). Allowed: \(allowed.english).")
        case .bothForms(let variable):
            BilingualText(
                zh: "同时设置了 \(variable) 和 \(variable)_FILE，请只保留一个。",
                en: "Both \(variable) and \(variable)_FILE are set: keep one of them.")
        case .unreadableFile(let variable, let cause):
            BilingualText(
                zh: "\(variable) 指定的文件无法读取：\(cause.explanation.chinese)",
                en: "The file that \(variable) names cannot be read: \(cause.explanation.english)")
        case .badLine(let file, let line):
            BilingualText(
                zh: "\(file) 第 \(line) 行不是 KEY=VALUE 的形式（注释以 # 开头）。",
                en: "Line \(line) of \(file) is not KEY=VALUE (a comment begins with #).")
        case .unknownVariable(let name, let file, let nearest):
            BilingualText(
                zh: "\(file.isEmpty ? "环境变量" : "\(file) 中的") \(name) 不是本程序的设置。您是否想写 \(nearest)？",
                en:
                    "\(name) in \(file.isEmpty ? "the environment" : file) is no setting of this program. Did you mean \(nearest)?"
            )
        case .openDoor(let address):
            BilingualText(
                zh: "API 将监听 \(address)，其他机器无需令牌即可删除和恢复备份，因此没有启动。请设置 API_TOKEN；"
                    + "仅限本机使用时设置 BACKUP_API_ADDRESS=127.0.0.1；确实无需令牌时设置 BACKUP_API_AUTH=none。"
                    + "在容器中，BIND_ADDRESS 说明端口发布在哪个地址。",
                en:
                    "The API would be reached on \(address), where other machines could delete and restore backups without a token, so the "
                    + "service has not started. Set API_TOKEN; for this machine alone BACKUP_API_ADDRESS=127.0.0.1; where no token is wanted "
                    + "BACKUP_API_AUTH=none. In a container BIND_ADDRESS says on which address its port is published.")
        case .missing(let variable, let neededBy):
            BilingualText(
                zh: "设置了 \(neededBy) 时还必须设置 \(variable)。", en: "\(neededBy) is set, so \(variable) must be set too.")
        }
    }
}
