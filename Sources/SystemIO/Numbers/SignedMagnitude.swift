// SPDX-License-Identifier: Apache-2.0

extension Int64 {
    /// A number that is written as a sign and digits: the smallest one has a magnitude that no positive one has.
    /// - Returns: `nil` for what does not fit.
    package init?(magnitude: UInt64, isNegative: Bool) {
        if !isNegative {
            self.init(exactly: magnitude)
        } else if magnitude == Int64.min.magnitude {
            self = .min
        } else if let positive = Int64(exactly: magnitude) {
            self = -positive
        } else {
            return nil
        }
    }
}
