// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// The zone of names, times and the schedule. Of one that it does not know the C library makes UTC, and says nothing (tzset(3)).
enum TimeZoneName {
    private static let variable = "TZ"

    /// - Throws: `SettingsError.badValue`.
    static func refuseUnknown(_ environment: [String: String]) throws(SettingsError) {
        guard let value = environment[variable], !value.isEmpty else { return }
        let name = value.hasPrefix(":") ? String(value.dropFirst()) : value
        let folder = FilePath(environment["TZDIR"] ?? "/usr/share/zoneinfo")
        if isRule(name) || isFile(name.hasPrefix("/") ? FilePath(name) : folder.appending(name)) { return }
        let near = nearest(to: name, in: folder)
        let example = near ?? "Asia/Shanghai"
        throw .badValue(
            variable: variable, shown: value,
            allowed: BilingualText(
                zh: "已知的时区名，如 \(example)" + (near == nil ? "" : "（您是否想写它？）"),
                en: "the name of a known zone, such as \(example)" + (near == nil ? "" : " (is that what was meant?)")))
    }

    /// `CST-8`, `<+03>-3`, `CET-1CEST`: a rule of its own (POSIX.1-2017, section 8.3). UTC needs no file.
    private static func isRule(_ name: String) -> Bool {
        if ["UTC", "UTC0", "GMT", "GMT0"].contains(name) { return true }
        var rest = name[...]
        if rest.hasPrefix("<") {
            guard let end = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: end)...]
        } else {
            let letters = rest.prefix { $0.isASCII && $0.isLetter }
            guard letters.count >= 3 else { return false }
            rest = rest.dropFirst(letters.count)
        }
        if rest.hasPrefix("+") || rest.hasPrefix("-") { rest = rest.dropFirst() }
        return rest.first?.isASCII == true && rest.first?.isNumber == true
    }

    private static func isFile(_ path: FilePath) -> Bool {
        do { return try FileStatus.ifPresent(path.resolved())?.kind == .file } catch { return false }
    }

    /// A zone is `AREA/PLACE` as a rule; both may be misspelt.
    private static func nearest(to name: String, in folder: FilePath) -> String? {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return closest(to: name, in: folder) }
        guard let area = closest(to: parts[0], in: folder),
            let place = closest(to: parts[1], in: folder.appending(area))
        else { return nil }
        return "\(area)/\(place)"
    }

    private static func closest(to name: String, in folder: FilePath) -> String? {
        do {
            let names = try Directory.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
            let near = names.map { ($0, editDistance(name.lowercased(), $0.lowercased())) }.min {
                ($0.1, $0.0) < ($1.1, $1.0)
            }
            return near.flatMap { $0.1 <= 3 ? $0.0 : nil }
        } catch { return nil }
    }
}
