// SPDX-License-Identifier: Apache-2.0

/// The last comparison before a swap: of a restore (`LiveComparison`) or of an undo (`SinceRestore`).
protocol LastLook: AnyObject {
    /// What the swap would lose. Nobody can write to the live database when it returns.
    func last() throws -> NewerData
    /// Up to when `last` looked; `nil` where no database is in play.
    var moment: String? { get }
    /// Puts the incoming database in the place of the live one.
    /// - Throws: also where somebody may have written since `last`; nothing is changed then.
    func swap() throws
    /// Ends the sessions, and lets the writers go on.
    func close()
}
