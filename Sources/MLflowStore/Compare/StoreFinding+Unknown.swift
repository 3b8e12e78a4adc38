// SPDX-License-Identifier: Apache-2.0

import Postgres
import Wording

/// What the restored database has no place for.
extension StoreFinding {
    static func unknown(_ table: QualifiedTable, rows: Int64) -> StoreFinding {
        StoreFinding(
            .added, table: table.description,
            BilingualText(
                zh: "备份中没有表 \(table)（现有 \(rows) 行）",
                en: "table \(table) with \(rows) rows was added"))
    }

    static func unknown(_ column: String, in table: QualifiedTable) -> StoreFinding {
        StoreFinding(
            .added, table: table.description,
            BilingualText(
                zh: "备份中的表 \(table) 没有列 \(FindingText.clean(column))",
                en: "column \(FindingText.clean(column)) of table \(table) was added"))
    }
}
