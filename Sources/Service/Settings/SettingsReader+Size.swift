// SPDX-License-Identifier: Apache-2.0

import Wording

extension SettingsReader {
    private static let unitShifts: [Character: UInt64] = ["K": 10, "M": 20, "G": 30, "T": 40]

    /// A whole number with one unit, powers of 1024: `500M`, `20G`, `1T`; `0` needs none. 1024 T at most.
    /// - Returns: bytes.
    func size(_ name: SettingName) throws(SettingsError) -> UInt64? {
        guard let value = text(name) else { return nil }
        if value == "0" { return 0 }
        let digits = value.dropLast()
        guard let shift = value.last.flatMap({ Self.unitShifts[$0] }), !digits.isEmpty,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(digits),
            number <= 1 << (50 - shift)
        else {
            throw bad(
                name, value, BilingualText(zh: "如 500M、20G、1T 的大小，或 0", en: "a size such as 500M, 20G or 1T, or 0"))
        }
        return number << shift
    }
}
