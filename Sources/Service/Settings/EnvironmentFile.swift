// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// A file of `KEY=VALUE` lines, as `docker --env-file` reads them: comments begin with `#`, nothing is expanded.
///
/// One pair of quotes around a value is taken off, since people write them.
struct EnvironmentFile: Sendable {
    let values: [String: String]

    /// - Throws: `SettingsError`.
    init(_ path: FilePath) throws(SettingsError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try OpenFile(path, .read).readAll(limit: 1 << 20)
        } catch {
            throw .unreadableFile(variable: "--env-file", cause: error)
        }
        try self.init(text: String(decoding: bytes, as: UTF8.self), name: path.string)
    }

    init(text: String, name: String) throws(SettingsError) {
        var values: [String: String] = [:]
        // A Character of CR LF is one newline to Swift, so files from Windows read the same.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, raw) in lines.enumerated() {
            let line = raw.trimmingSpaces
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "=") else { throw .badLine(file: name, line: number + 1) }
            let key = line[..<equals].trimmingSpaces
            guard !key.isEmpty, key.utf8.allSatisfy({ isNameByte($0) }) else {
                throw .badLine(file: name, line: number + 1)
            }
            if let nearest = SettingName.misspelling(of: key) {
                throw .unknownVariable(key, file: name, nearest: nearest)
            }
            values[key] = Self.unquoted(line[line.index(after: equals)...].trimmingSpaces)
        }
        self.values = values
    }

    private static func unquoted(_ value: String) -> String {
        guard value.count >= 2, let first = value.first, first == value.last, first == "\"" || first == "'" else {
            return value
        }
        return String(value.dropFirst().dropLast())
    }
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
        true
    default: false
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    var trimmingSpaces: String {
        var rest = self[...]
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return String(rest.drop { $0 == " " || $0 == "\t" })
    }
}
