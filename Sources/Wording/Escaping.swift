// SPDX-License-Identifier: Apache-2.0

extension String {
    /// The same with others in the place of some scalars. By scalar: a combining mark after a quote makes one `Character` of both,
    /// which would not be found.
    package func escaping(_ special: Set<Unicode.Scalar>, _ replacement: (Unicode.Scalar) -> String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if special.contains(scalar) {
                escaped.append(contentsOf: replacement(scalar).unicodeScalars)
            } else {
                escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}

extension StringProtocol {
    /// Its beginning, so many bytes at most, cut between scalars. Not by `Character`, of which one may be of any length.
    package func beginning(bytes: Int) -> String {
        guard utf8.count > bytes else { return String(self) }
        var kept = String.UnicodeScalarView()
        var count = 0
        for scalar in unicodeScalars {
            count += UTF8.width(scalar)
            if count > bytes { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}

extension Unicode.Scalar {
    /// Whether it is not shown but does something to what is: controls (C0, DEL, C1), what turns the direction of writing (Unicode TR 9), and
    /// the separators at which some readers end a line.
    package var steersDisplay: Bool {
        switch value {
        case 0..<0x20, 0x7f..<0xa0: true
        case 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
