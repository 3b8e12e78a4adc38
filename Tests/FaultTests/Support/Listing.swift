// SPDX-License-Identifier: Apache-2.0

import Foundation

/// `mlflow-backup list --json`.
struct Listing {
    /// Name and status of each backup.
    let status: [String: String]
    var names: [String] { status.keys.sorted() }

    init(_ program: Program) throws {
        let ended = try program.run(["list", "--json"])
        guard ended.succeeded else { throw CaseFailed("list: \(ended.saying)") }
        let document = try JSONSerialization.jsonObject(with: Data(ended.output.utf8))
        let items = (document as? [String: Any])?["backups"] ?? document
        var found: [String: String] = [:]
        for item in items as? [[String: Any]] ?? [] {
            if let name = item["name"] as? String { found[name] = item["status"] as? String ?? "" }
        }
        status = found
    }
}
