// SPDX-License-Identifier: Apache-2.0

/// 32 hexadecimal digits, random.
package enum RandomID {
    package static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = [
            UInt64.random(in: .min ... .max, using: &generator), .random(in: .min ... .max, using: &generator),
        ]
        return digits.map { number in
            let hex = String(number, radix: 16)
            return String(repeating: "0", count: 16 - hex.count) + hex
        }.joined()
    }

    package static func isOne(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
