// SPDX-License-Identifier: Apache-2.0

import Wording

/// What is wrong with a cron line.
package enum CronError: ExplainedError, Equatable {
    case fieldCount(line: String, found: Int)
    case unknownNickname(String)
    case badField(field: String, range: String, text: String)
    /// The date never comes, as 30 February.
    case impossible(line: String)

    static func badField(_ field: CronField, _ text: String) -> CronError {
        .badField(
            field: "\(field)", range: "\(field.range.lowerBound)-\(field.range.upperBound)", text: text)
    }

    package var explanation: BilingualText { reason + BilingualText(zh: "。", en: ".") }

    /// Without the full stop, for use inside another sentence.
    var reason: BilingualText {
        switch self {
        case .fieldCount(let line, let found):
            BilingualText(
                zh: "计划“\(line)”有 \(found) 个字段，应为 5 个：分 时 日 月 星期，例如 0 2 * * *（每天 2 点）",
                en: "The schedule \"\(line)\" has \(found) fields, not 5: minute hour day month weekday, "
                    + "such as 0 2 * * * (every day at 2)")
        case .unknownNickname(let text):
            BilingualText(
                zh: "不认识“\(text)”。可用：@hourly、@daily、@midnight、@weekly、@monthly、@yearly、@annually",
                en: "\"\(text)\" is not known. There are @hourly, @daily, @midnight, @weekly, @monthly, @yearly, "
                    + "@annually")
        case .badField(let field, let range, let text):
            BilingualText(
                zh: "计划中的“\(text)”不是有效的 \(Self.chineseNames[field] ?? field)（允许 \(range)）",
                en: "\"\(text)\" in the schedule is no valid \(Self.englishNames[field] ?? field) "
                    + "(\(range) is allowed)")
        case .impossible(let line):
            BilingualText(
                zh: "计划“\(line)”的日期永远不会到来，请检查日和月",
                en: "The schedule \"\(line)\" names a date that never comes: check its day and month")
        }
    }

    private static let chineseNames = [
        "minute": "分钟", "hour": "小时", "dayOfMonth": "日", "month": "月份", "dayOfWeek": "星期",
    ]
    private static let englishNames = ["dayOfMonth": "day of the month", "dayOfWeek": "day of the week"]
}
