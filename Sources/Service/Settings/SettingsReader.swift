// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Looks settings up: flags, then the environment, then the file. An empty value counts as not given, because compose
/// files write `BACKUP_EMAIL: ${BACKUP_EMAIL:-}`.
struct SettingsReader: Sendable {
    private let layers: [[String: String]]

    /// - Parameter layers: from the strongest to the weakest.
    init(layers: [[String: String]]) { self.layers = layers }

    func text(_ name: SettingName) -> String? {
        for layer in layers {
            if let value = layer[name.rawValue], !value.isEmpty { return value }
        }
        return nil
    }

    /// The stronger layer wins, whichever of the two forms it uses.
    func secret(_ name: SettingName) throws(SettingsError) -> Secret? {
        for layer in layers {
            let direct = layer[name.rawValue].flatMap { $0.isEmpty ? nil : $0 }
            let file = layer[name.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
            switch (direct, file) {
            case (nil, nil): continue
            case (let value?, nil): return Secret(value)
            case (nil, let path?): return try Self.secret(inFile: path, name)
            case (_?, _?): throw .bothForms(variable: name.rawValue)
            }
        }
        return nil
    }

    private static func secret(inFile path: String, _ name: SettingName) throws(SettingsError) -> Secret {
        var bytes: [UInt8]
        do throws(SystemError) {
            bytes = try OpenFile(FilePath(path), .read).readAll(limit: 64 << 10)
        } catch {
            throw .unreadableFile(variable: name.fileVariable, cause: error)
        }
        // One line end, as editors add it; a password may end with spaces.
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty, !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw .badValue(
                variable: name.fileVariable, shown: path,
                allowed: BilingualText(
                    zh: "内容非空的 UTF-8 文本文件", en: "a file with UTF-8 text that is not empty"))
        }
        return Secret(text)
    }

    func flag(_ name: SettingName, default fallback: Bool) throws(SettingsError) -> Bool {
        guard let value = text(name) else { return fallback }
        switch value.lowercased() {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default: throw bad(name, value, BilingualText(zh: "true 或 false", en: "true or false"))
        }
    }

    func number(_ name: SettingName, in range: ClosedRange<Int>) throws(SettingsError) -> Int? {
        guard let value = text(name) else { return nil }
        guard let number = Int(value), range.contains(number) else {
            let bounds = "\(range.lowerBound)-\(range.upperBound)"
            throw bad(name, value, BilingualText(zh: "\(bounds) 的整数", en: "a whole number \(bounds)"))
        }
        return number
    }

    func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ name: SettingName, of _: Value.Type
    ) throws(SettingsError) -> Value? {
        guard let value = text(name) else { return nil }
        guard let choice = Value(rawValue: value.lowercased()) else {
            let names = Value.allCases.map(\.rawValue)
            throw bad(
                name, value,
                BilingualText(zh: names.joined(separator: "、"), en: names.joined(separator: ", ")))
        }
        return choice
    }

    func path(_ name: SettingName) throws(SettingsError) -> FilePath? {
        guard let value = text(name) else { return nil }
        guard value.hasPrefix("/") else {
            throw bad(name, value, BilingualText(zh: "绝对路径（以 / 开头）", en: "an absolute path, beginning with /"))
        }
        // Swift puts this in the place of bytes that are no UTF-8: it would be another folder, and the same one for several.
        guard !value.unicodeScalars.contains("\u{FFFD}") else {
            throw bad(name, value, BilingualText(zh: "UTF-8 编码的路径", en: "a path in UTF-8"))
        }
        // Without slashes at the end, so that paths made from it compare.
        var bytes = Array(value.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return FilePath(bytes: bytes)
    }

    func address(_ name: SettingName) throws(SettingsError) -> MailAddress? {
        guard let value = text(name) else { return nil }
        do throws(MailAddressError) { return try MailAddress(value) } catch {
            throw bad(name, value, error.allowed)
        }
    }

    /// - Parameter schemes: what the URL may begin with, as `http`.
    /// - Returns: the URL without slashes at its end.
    func url(_ name: SettingName, schemes: [String]) throws(SettingsError) -> String? {
        guard var value = text(name) else { return nil }
        let list = schemes.map { "\($0)://" }
        let allowed = BilingualText(
            zh: list.joined(separator: "、") + " 加主机名，可带端口；不含用户名和密码",
            en: list.joined(separator: " or ") + " and a host name, with or without a port; no user name or password")
        guard let prefix = list.first(where: { value.lowercased().hasPrefix($0) }) else {
            throw .badValue(variable: name.rawValue, shown: value.contains("@") ? nil : value, allowed: allowed)
        }
        let rest = value.dropFirst(prefix.count)
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        // An `@` means a password may stand before it: not shown.
        if rest.contains("@") { throw .badValue(variable: name.rawValue, shown: nil, allowed: allowed) }
        guard !host.isEmpty, !host.hasPrefix(":"), rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            Self.hasUsablePort(host)
        else { throw bad(name, value, allowed) }
        while value.hasSuffix("/") { value.removeLast() }
        return value
    }

    private static func hasUsablePort(_ host: Substring) -> Bool {
        let afterBracket = host.lastIndex(of: "]").map { host[$0...].dropFirst() } ?? host
        guard let colon = afterBracket.lastIndex(of: ":") else { return true }
        guard let port = Int(afterBracket[afterBracket.index(after: colon)...]) else { return false }
        return (1...65_535).contains(port)
    }

    func bad(_ name: SettingName, _ value: String, _ allowed: BilingualText) -> SettingsError {
        .badValue(variable: name.rawValue, shown: name.isSecret ? nil : value, allowed: allowed)
    }
}
