// SPDX-License-Identifier: Apache-2.0

import Wording

extension SettingsReader {
    private static let unitSeconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]

    /// A whole number with one unit: `24h`, `90m`, `2d`, `45s`; `0` needs none. A year at most.
    /// - Returns: seconds.
    func duration(_ name: SettingName) throws(SettingsError) -> Int64? {
        guard let value = text(name) else { return nil }
        let problem = bad(
            name, value, BilingualText(zh: "如 24h、90m、2d 的时长，或 0", en: "a duration such as 24h, 90m or 2d, or 0"))
        if value == "0" { return 0 }
        let digits = value.dropLast()
        guard let unit = value.last.flatMap({ Self.unitSeconds[$0] }), !digits.isEmpty,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(digits), number <= 366 * 86_400,
            number * unit <= 366 * 86_400
        else { throw problem }
        return number * unit
    }
}
