// SPDX-License-Identifier: Apache-2.0

import Wording

/// What a command takes: enough to parse its arguments and to print its help.
struct CommandDefinition: Sendable {
    struct Option: Sendable {
        let name: String
        /// What stands for the value in help; `nil` for a switch.
        let value: String?
        let help: BilingualText

        init(_ name: String, _ value: String? = nil, _ help: BilingualText) {
            self.name = name
            self.value = value
            self.help = help
        }
    }

    let name: String
    let summary: BilingualText
    /// What stands for the positional arguments in help, and how many there may be.
    let positional: String
    let positionalLimit: Int
    let options: [Option]
    /// More lines for the help: examples and exit codes.
    let notes: BilingualText

    init(
        _ name: String, _ summary: BilingualText, positional: String = "", positionalLimit: Int = 0,
        options: [Option], notes: BilingualText = BilingualText.empty
    ) {
        self.name = name
        self.summary = summary
        self.positional = positional
        self.positionalLimit = positionalLimit
        self.options = options
        self.notes = notes
    }

    static let commonOptions: [Option] = [
        Option(
            "env-file", "FILE", BilingualText(zh: "从文件读取设置（KEY=VALUE）", en: "read settings from a file (KEY=VALUE)")),
        Option("lang", "zh|en", BilingualText(zh: "输出语言", en: "language of the output")),
        Option("help", nil, BilingualText(zh: "显示帮助", en: "show help")),
    ]

    func help(_ language: Language) -> String {
        let usage = language == .chinese ? "用法" : "Usage"
        var lines = [
            "\(usage): mlflow-backup \(name)\(options.isEmpty ? "" : " [OPTIONS]")\(positional.isEmpty ? "" : " " + positional)"
        ]
        lines += ["", summary[language], ""]
        lines.append(language == .chinese ? "选项:" : "Options:")
        for option in options + Self.commonOptions {
            let left = "--\(option.name)" + (option.value.map { " \($0)" } ?? "")
            let padding = String(repeating: " ", count: max(1, 26 - left.count))
            lines.append("  \(left)\(padding)\(option.help[language])")
        }
        if !notes[language].isEmpty { lines += ["", notes[language]] }
        return lines.joined(separator: "\n") + "\n"
    }
}
