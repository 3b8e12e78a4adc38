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
