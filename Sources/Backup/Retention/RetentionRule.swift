// SPDX-License-Identifier: Apache-2.0

import SystemIO

/// Which backups stay. Only good ones that this service made are counted, and only they are ever removed.
package enum RetentionRule: Sendable, Equatable {
    /// Everything of the newest `count` calendar days that have a good backup. Several backups in one day do not
    /// push older days out, and days on which the machine was off do not count.
    case days(Int)
    /// The newest `count` backups.
    case count(Int)

    package static let `default` = RetentionRule.days(7)

    private var number: Int {
        switch self {
        case .days(let number), .count(let number): number
        }
    }

    /// Whether the person who set it wants no second copy.
    var keepsOne: Bool { number <= 1 }

    /// Every how many backups an independent one is made. Below the number kept, so that a second copy comes before
    /// the first one goes.
    /// - Parameter wanted: BACKUP_FULL_EVERY.
    func fullEvery(_ wanted: Int) -> Int { keepsOne ? max(wanted, 1) : max(1, min(wanted, number - 1)) }

    /// Picks what may go from good backups, newest first. The newest always stays.
    func expired(_ items: [CatalogueItem]) -> [CatalogueItem] {
        switch self {
        case .count(let count): return Array(items.dropFirst(max(count, 1)))
        case .days(let count):
            var days: [String] = []
            return items.filter { item in
                if days.last != item.created.day { days.append(item.created.day) }
                return days.count > max(count, 1)
            }
        }
    }
}
