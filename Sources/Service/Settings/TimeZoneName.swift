// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemIO
import Wording

/// The zone of names, times and the schedule. Of one that it does not know the C library makes UTC, and says nothing (tzset(3)).
enum TimeZoneName {
    static let variable = "TZ"

    /// - Parameter folder: `TZDIR`.
    /// - Throws: `SettingsError.badValue`.
    static func refuseUnknown(_ value: String?, folder: String?) throws(SettingsError) {
        guard let value, !value.isEmpty else { return }
        let name = value.hasPrefix(":") ? String(value.dropFirst()) : value
        let folder = FilePath(folder ?? "/usr/share/zoneinfo")
        if isRule(name) || isZone(name.hasPrefix("/") ? FilePath(name) : folder.appending(name)) { return }
        let near = nearest(to: name, in: folder)
        let example = near ?? "Asia/Shanghai"
        throw .badValue(
            variable: variable, shown: value,
            allowed: BilingualText(
                zh: "已知的时区名，如 \(example)" + (near == nil ? "" : "（您是否想写它？）"),
                en: "the name of a known zone, such as \(example)" + (near == nil ? "" : " (is that what was meant?)")))
    }

    /// `CST-8`, `<+03>-3`, `CET-1CEST,M3.5.0,M10.5.0/3`: a rule of its own (POSIX.1-2017, section 8.3). UTC needs no file.
    private static func isRule(_ name: String) -> Bool {
        if ["UTC", "GMT"].contains(name) { return true }
        let zone = #"(<[A-Za-z0-9+-]{3,}>|[A-Za-z]{3,})"#
        let offset = #"[+-]?([01]?[0-9]|2[0-4])(:[0-5][0-9]){0,2}"#
        let date = #"(J?[0-9]{1,3}|M([1-9]|1[0-2])\.[1-5]\.[0-6])(/[+-]?[0-9]{1,3}(:[0-5][0-9]){0,2})?"#
        return isWhole(name, "\(zone)\(offset)(\(zone)(\(offset))?(,\(date),\(date))?)?")
    }

    /// regex(3), extended: it knows no more than what is needed here.
    private static func isWhole(_ text: String, _ pattern: String) -> Bool {
        var compiled = regex_t()
        guard regcomp(&compiled, "^\(pattern)$", REG_EXTENDED | REG_NOSUB) == 0 else { return false }
        defer { regfree(&compiled) }
        return regexec(&compiled, text, 0, nil, 0) == 0
    }

    /// A file that begins as one of zones does (RFC 9636, section 3.1).
    private static func isZone(_ path: FilePath) -> Bool {
        do {
            let resolved = try path.resolved()
            guard try FileStatus.ifPresent(resolved)?.kind == .file else { return false }
            return try OpenFile(resolved, .read).readAll(limit: 1 << 20).starts(with: "TZif".utf8)
        } catch { return false }
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
