// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Wording

/// One line an event, in English, to standard error and to syslog.
///
/// Fields are values, never free text with secrets: `Secret` prints as stars whatever happens.
package struct Log: Sendable {
    package enum Format: String, Sendable { case text, json }
    package enum Level: String, Sendable { case info, warning, error }

    private let format: Format
    private let writesSyslog: Bool
    private let descriptor: Int32

    /// - Parameter descriptor: where lines go; standard error by default.
    package init(format: Format = .text, syslog: Bool = false, descriptor: Int32 = STDERR_FILENO) {
        self.format = format
        writesSyslog = syslog
        self.descriptor = descriptor
        if syslog { clinux_syslog_open("mlflow-backup") }
    }

    /// Writes nothing at all: for commands whose output is their answer.
    package static let silent = Log(descriptor: -1)

    package func info(_ event: String, _ fields: KeyValuePairs<String, any CustomStringConvertible & Sendable> = [:]) {
        write(.info, event, fields)
    }

    package func warning(_ event: String, _ fields: KeyValuePairs<String, any CustomStringConvertible & Sendable> = [:])
    {
        write(.warning, event, fields)
    }

    package func error(_ event: String, _ fields: KeyValuePairs<String, any CustomStringConvertible & Sendable> = [:]) {
        write(.error, event, fields)
    }

    private func write(
        _ level: Level, _ event: String, _ fields: KeyValuePairs<String, any CustomStringConvertible & Sendable>
    ) {
        guard descriptor >= 0 else { return }
        let time = LocalTime.now().iso
        let line: String
        switch format {
        case .json:
            var pairs = [
                "\"time\":\(quoted(time))", "\"level\":\(quoted(level.rawValue))", "\"event\":\(quoted(event))",
            ]
            for (key, value) in fields { pairs.append("\(quoted(key)):\(quoted(value.description))") }
            line = "{" + pairs.joined(separator: ",") + "}"
        case .text:
            line =
                ([time, level.rawValue.uppercased(), printable(event)]
                + fields.map { "\($0.key)=\(bare($0.value.description))" })
                .joined(separator: " ")
        }
        // One write a line keeps lines whole when several threads log. There is nowhere to report a failure to.
        let bytes = Array((line + "\n").utf8)
        _ = Glibc.write(descriptor, bytes, bytes.count)
        if writesSyslog {
            clinux_syslog(level == .error ? LOG_ERR : level == .warning ? LOG_WARNING : LOG_INFO, line)
        }
    }

    /// A JSON string (RFC 8259 section 7). Control characters are escaped, so an event is always one line.
    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.steersDisplay:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private func bare(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy { $0 != " " && $0 != "\"" && !$0.steersDisplay }
        return plain && !text.isEmpty ? text : quoted(text)
    }

    private func printable(_ event: String) -> String {
        event.unicodeScalars.contains(where: \.steersDisplay) ? quoted(event) : event
    }
}
