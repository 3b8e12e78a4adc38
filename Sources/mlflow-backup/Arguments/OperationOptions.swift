// SPDX-License-Identifier: Apache-2.0

import Wording

extension CommandDefinition.Option {
    static let wait = CommandDefinition.Option(
        "wait", "SECONDS", BilingualText(zh: "等待其他任务的秒数（默认 600）", en: "seconds to wait for another task (600)"))

    /// What every recorded operation understands.
    static let ofOperations: [CommandDefinition.Option] = [
        wait,
        .init("json", nil, BilingualText(zh: "以 JSON 输出结果", en: "print the result as JSON")),
        .init("quiet", nil, BilingualText(zh: "只输出错误", en: "print errors only")),
    ]
}
