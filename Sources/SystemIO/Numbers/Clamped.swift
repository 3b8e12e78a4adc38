// SPDX-License-Identifier: Apache-2.0

/// Arithmetic on numbers from outside: sidecars, indices, tar headers, file systems, clients. It stops at the ends of what
/// a type can hold, where the operators would end the process.
extension FixedWidthInteger {
    /// The sum, or the largest or smallest number there is.
    package func adding(clamped other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    /// The difference, or the largest or smallest number there is: of unsigned numbers zero at least.
    package func subtracting(clamped other: Self) -> Self {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : difference
    }

    /// The product, or the largest or smallest number there is.
    package func multiplied(clamped other: Self) -> Self {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }

    /// The nearest whole number; zero for one that is none (NaN).
    package init(nearest number: Double) {
        // 2^64 as a Double is what `Self.max` rounds to, and no `Self`.
        if number >= Double(Self.max) {
            self = .max
        } else if number <= Double(Self.min) {
            self = .min
        } else {
            self = number.isNaN ? 0 : Self(exactly: number.rounded()) ?? 0
        }
    }
}
