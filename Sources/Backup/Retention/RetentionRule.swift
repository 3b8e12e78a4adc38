// SPDX-License-Identifier: Apache-2.0

/// Which backups stay. Only verified ones that this service made are counted, and only they are ever removed.
public enum RetentionRule: Sendable, Equatable {
    /// Everything of the newest `count` calendar days that have a good backup. Several backups in one day do not
    /// push older days out, and days on which the machine was off do not count.
    case days(Int)
    /// The newest `count` backups.
    case count(Int)

    public static let `default` = RetentionRule.days(7)

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
