// SPDX-License-Identifier: Apache-2.0

extension SettingName {
    /// Of the scripts and of docker-compose.yml: known there.
    private static let ofOthers: Set<String> = ["BACKUP_PUBLISHED_PORT", "BACKUP_PORT"]

    /// The same in the environment, where anything may stand: of our own families alone, and not what Kubernetes calls a service named
    /// `backup` (`BACKUP_SERVICE_HOST`, `BACKUP_PORT_8080_TCP`).
    static func misspelling(inEnvironment key: String) -> String? {
        guard ["BACKUP_", "SMTP_", "UNDO_"].contains(where: key.hasPrefix) else { return nil }
        let isOfKubernetes =
            key.hasPrefix("BACKUP_PORT_") || key.contains("_SERVICE_HOST") || key.contains("_SERVICE_PORT")
        return isOfKubernetes ? nil : misspelling(of: key)
    }

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
package func editDistance(_ first: String, _ second: String) -> Int {
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
