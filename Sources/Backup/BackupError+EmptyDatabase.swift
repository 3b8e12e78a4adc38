// SPDX-License-Identifier: Apache-2.0

import Wording

extension BackupError {
    /// - Parameters:
    ///   - schemas: in which tables of MLflow are.
    ///   - wanted: in which a person says that they are.
    static func explanation(ofEmpty name: String, _ schemas: [String], _ wanted: String?) -> BilingualText {
        let all = schemas.joined(separator: ", ")
        switch (wanted, schemas.isEmpty) {
        case (nil, true):
            return BilingualText(
                zh: "数据库 \(name) 中没有 MLflow 的表。请先启动 MLflow 一次，或检查 POSTGRES_DB。",
                en: "The database \(name) has no MLflow tables. Start MLflow once first, or check POSTGRES_DB.")
        case (nil, false):
            return BilingualText(
                zh: "数据库 \(name) 的多个模式中都有 MLflow 的表：\(all)；而用户和数据库的 search_path 不指向其中任何一个，无法判断哪一个属于这套 MLflow。"
                    + "请把 POSTGRES_SCHEMA 设为 MLflow 的 URI 中 search_path 所指的模式。",
                en:
                    "The database \(name) has tables of MLflow in several schemas (\(all)), and the search_path of the role and of the database "
                    + "leads to none of them: which is this MLflow's is not known. Set POSTGRES_SCHEMA to the one that search_path in MLflow's "
                    + "URI names.")
        case (let wanted?, true):
            return BilingualText(
                zh: "数据库 \(name) 的模式 \(wanted)（POSTGRES_SCHEMA）中没有 MLflow 的表，其他模式中也没有。请先启动 MLflow 一次，或检查 POSTGRES_DB。",
                en:
                    "The database \(name) has no MLflow tables in the schema \(wanted) (POSTGRES_SCHEMA), nor in another. Start MLflow once "
                    + "first, or check POSTGRES_DB.")
        case (let wanted?, false):
            return BilingualText(
                zh:
                    "数据库 \(name) 的模式 \(wanted)（POSTGRES_SCHEMA）中没有 MLflow 的表，它们在：\(all)。请更正 POSTGRES_SCHEMA；只有一个模式时可以不设。",
                en:
                    "The database \(name) has no MLflow tables in the schema \(wanted) (POSTGRES_SCHEMA), but in \(all). Correct "
                    + "POSTGRES_SCHEMA; where there is one schema it need not be set.")
        }
    }
}
