// SPDX-License-Identifier: Apache-2.0

import Postgres
import Wording

extension BackupError {
    /// - Parameter schemas: in which MLflow's tables are instead of `public`.
    static func explanation(ofEmpty name: String, _ schemas: [String]) -> BilingualText {
        guard let schema = schemas.first else {
            return BilingualText(
                zh: "数据库 \(name) 中没有 MLflow 的表。请先启动 MLflow 一次，或检查 POSTGRES_DB。",
                en: "The database \(name) has no MLflow tables. Start MLflow once first, or check POSTGRES_DB.")
        }
        let all = schemas.joined(separator: ", ")
        let own = schema.asQuotedIdentifier
        return BilingualText(
            zh: "数据库 \(name) 中 MLflow 的表不在 public 模式中，而在：\(all)。目前只支持 public 模式，因此未做备份。"
                + "请停止 MLflow 后移动它们：若 public 中没有其他对象，以所有者身份执行 DROP SCHEMA public; ALTER SCHEMA \(own) RENAME TO public;"
                + " 否则对每个表执行 ALTER TABLE … SET SCHEMA public。然后去掉指向该模式的 search_path"
                + "（ALTER DATABASE 或 ALTER ROLE … RESET search_path，或 MLflow 的 URI 中的 options）。",
            en:
                "The database \(name) has MLflow's tables not in the schema public but in \(all), and only those in public can be "
                + "backed up: nothing was done. Stop MLflow and move them: where public holds nothing else, as its owner DROP SCHEMA public; "
                + "ALTER SCHEMA \(own) RENAME TO public; else ALTER TABLE … SET SCHEMA public for each table. Then take away the "
                + "search_path that leads there (ALTER DATABASE or ALTER ROLE … RESET search_path, or options in MLflow's URI)."
        )
    }
}
