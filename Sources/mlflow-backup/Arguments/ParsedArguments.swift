// SPDX-License-Identifier: Apache-2.0

import Service
import Wording

/// Arguments sorted by a definition: `--name value`, `--name=value`, `--switch`, and what is left.
struct ParsedArguments: Sendable, Equatable {
    private(set) var values: [String: String] = [:]
    private(set) var switches: Set<String> = []
    private(set) var positional: [String] = []

    /// - Throws: `UsageError` for anything the definition does not know.
    init(_ arguments: [String], _ definition: CommandDefinition) throws(UsageError) {
        let known = definition.options + CommandDefinition.commonOptions
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                positional += rest
                break
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                positional.append(argument)
                continue
            }
            if argument == "-h" {
                switches.insert("help")
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0].drop { $0 == "-" })
            guard argument.hasPrefix("--"), let option = known.first(where: { $0.name == name }) else {
                throw .unknownOption(
                    String(parts[0]), nearest: NearestName.of(name, in: known.map(\.name)).map { "--\($0)" })
            }
            guard option.value != nil else {
                if parts.count > 1 { throw .unexpectedValue("--\(name)") }
                switches.insert(name)
                continue
            }
            if parts.count > 1 {
                values[name] = String(parts[1])
            } else if let next = rest.popFirst() {
                values[name] = next
            } else {
                throw .missingValue("--\(name)")
            }
        }
        guard positional.count <= definition.positionalLimit else {
            throw .unexpectedArgument(positional[definition.positionalLimit])
        }
    }

    func has(_ name: String) -> Bool { switches.contains(name) }
    subscript(name: String) -> String? { values[name] }

    /// `--wait`, of all commands that take it: seconds to wait for another task.
    var waitSeconds: Double {
        get throws(UsageError) { Double(try number("wait", in: 0...86_400) ?? 600) }
    }

    /// A whole number in a range, `nil` where the option was not given.
    func number(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .badValue("--\(name)", text, expected: "\(range.lowerBound)…\(range.upperBound)")
        }
        return number
    }
}

/// What is wrong with a command line.
enum UsageError: CodedError, Equatable {
    case unknownCommand(String, nearest: String?)
    case unknownOption(String, nearest: String?)
    case missingValue(String)
    case unexpectedValue(String)
    case unexpectedArgument(String)
    case badValue(String, String, expected: String)
    case conflict(String, String)
    case missingArgument(String)

    var errorCode: String { "usage" }
    var failureKind: FailureKind { .usage }

    var explanation: BilingualText {
        switch self {
        case .unknownCommand(let name, let nearest):
            BilingualText(
                zh: "没有命令 \(name)。" + (nearest.map { "是否想用 \($0)？" } ?? "") + "运行 mlflow-backup --help 查看全部命令。",
                en: "There is no command \(name). " + (nearest.map { "Did you mean \($0)? " } ?? "")
                    + "See mlflow-backup --help.")
        case .unknownOption(let name, let nearest):
            BilingualText(
                zh: "没有选项 \(name)。" + (nearest.map { "是否想用 \($0)？" } ?? "用 --help 查看全部选项。"),
                en: "There is no option \(name). " + (nearest.map { "Did you mean \($0)?" } ?? "See --help."))
        case .missingValue(let name): BilingualText(zh: "选项 \(name) 缺少值。", en: "Option \(name) needs a value.")
        case .unexpectedValue(let name): BilingualText(zh: "选项 \(name) 不带值。", en: "Option \(name) takes no value.")
        case .unexpectedArgument(let text):
            BilingualText(zh: "多余的参数：\(text)。", en: "Unexpected argument: \(text).")
        case .badValue(let name, let text, let expected):
            BilingualText(
                zh: "\(name) 的值 \(text) 无效，应为 \(expected)。",
                en: "\(text) is not a value for \(name): expected \(expected).")
        case .conflict(let one, let other):
            BilingualText(zh: "\(one) 与 \(other) 不能同时使用。", en: "\(one) and \(other) cannot be used together.")
        case .missingArgument(let name):
            BilingualText(zh: "缺少参数 \(name)。", en: "The argument \(name) is missing.")
        }
    }
}

/// The known name that is closest to a mistyped one.
enum NearestName {
    static func of(_ name: String, in known: [String]) -> String? {
        let ranked = known.map { (name: $0, distance: editDistance(name, $0)) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(1, name.count / 3) else {
            return nil
        }
        return best.name
    }
}
