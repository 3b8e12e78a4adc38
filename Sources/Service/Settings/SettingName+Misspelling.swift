// SPDX-License-Identifier: Apache-2.0

extension SettingName {
    /// Of the scripts and of docker-compose.yml: known there.
    private static let ofOthers: Set<String> = ["BACKUP_PUBLISHED_PORT", "BACKUP_PORT"]

    /// The setting that an unknown name is probably meant to be. Other programs' variables may stand beside it, so only
    /// names near one of ours, or in our own `BACKUP_` family, count.
    static func misspelling(of key: String) -> String? {
        let known = allCases.flatMap(\.variables)
        if known.contains(key) || ofOthers.contains(key) { return nil }
        let nearest = known.map { (name: $0, distance: editDistance(key, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= 2 || key.hasPrefix("BACKUP_") else { return nil }
        return nearest.name
    }
}

/// Levenshtein's distance: letters to add, drop or change.
func editDistance(_ first: String, _ second: String) -> Int {
    let columns = Array(second.utf8)
    var row = Array(0...columns.count)
    for (line, byte) in first.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = line + 1
        for column in columns.indices {
            let replaced = diagonal + (columns[column] == byte ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
        }
    }
    return row[columns.count]
}
