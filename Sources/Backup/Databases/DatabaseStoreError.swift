// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// Why a database of MLflow's cannot be what a backup is taken of, or put into, beside what its own library reports.
package enum DatabaseStoreError: CodedError, Equatable {
    /// What the backup holds is a database of another kind than the live one.
    case kindDiffers(backup: String, isSQLite: Bool)
    /// There is no database file.
    case fileMissing(path: String)
    /// The database file has none of MLflow's tables.
    case fileEmpty(path: String)
    /// The database file lies among the artifacts, where it would be walked, and moved, as one of them.
    case amongArtifacts(path: String, folder: String)
    /// What is to be put aside or brought back has no place to lie beside the database file.
    case noFolder(path: String, reason: BilingualText)
    /// The name that something should get is another's already.
    case nameTaken(name: String, path: String)

    package var errorCode: String {
        switch self {
        case .kindDiffers: "database-of-another-kind"
        case .fileMissing: "sqlite-missing"
        case .fileEmpty: "sqlite-empty"
        case .amongArtifacts: "sqlite-among-artifacts"
        case .noFolder: "sqlite-no-folder"
        case .nameTaken: "sqlite-name-taken"
        }
    }

    package var failureKind: FailureKind {
        switch self {
        case .kindDiffers: .conflict
        case .amongArtifacts: .usage
        case .fileMissing, .fileEmpty, .noFolder, .nameTaken: .unavailable
        }
    }

    package var explanation: BilingualText {
        switch self {
        case .kindDiffers(let backup, let isSQLite):
            isSQLite
                ? BilingualText(
                    zh:
                        "\(backup) 中的数据库是 SQLite，而当前的 MLflow 使用 PostgreSQL。请恢复到使用 SQLite 的 MLflow（BACKEND_STORE_URI），或只恢复 artifacts。",
                    en:
                        "The database in \(backup) is one of SQLite, and this MLflow is on PostgreSQL. Restore it into an MLflow on SQLite "
                        + "(BACKEND_STORE_URI), or the artifacts alone.")
                : BilingualText(
                    zh:
                        "\(backup) 中的数据库是 PostgreSQL 的转储，而当前的 MLflow 使用 SQLite。请恢复到使用 PostgreSQL 的 MLflow，或只恢复 artifacts。",
                    en:
                        "The database in \(backup) is a dump of PostgreSQL, and this MLflow is on SQLite. Restore it into an MLflow on "
                        + "PostgreSQL, or the artifacts alone.")
        case .fileMissing(let path):
            BilingualText(
                zh: "数据库文件 \(path) 不存在。请检查 BACKEND_STORE_URI 和挂载；新的 MLflow 请先启动一次。",
                en:
                    "There is no database file \(path). Check BACKEND_STORE_URI and the mounts; start an MLflow that is new once first."
            )
        case .fileEmpty(let path):
            BilingualText(
                zh: "数据库文件 \(path) 中没有 MLflow 的表。请先启动 MLflow 一次，或检查 BACKEND_STORE_URI。",
                en:
                    "The database file \(path) has no MLflow tables. Start MLflow once first, or check BACKEND_STORE_URI."
            )
        case .amongArtifacts(let path, let folder):
            BilingualText(
                zh:
                    "数据库文件 \(path) 位于 artifacts 目录 \(folder) 之内，会被当作 artifact 备份和移动。请停止 MLflow，把它移到该目录之外，再修改 MLflow 和 BACKEND_STORE_URI 的地址。",
                en:
                    "The database file \(path) lies in the artifacts folder \(folder), and would be backed up and moved as one of them. Stop "
                    + "MLflow, move the file out of it, and change MLflow's URI and BACKEND_STORE_URI.")
        case .noFolder(let path, let reason):
            BilingualText(
                zh: "无法使用 \(path)：\(reason.chinese)。恢复的数据库和被替换的数据库都放在那里，必须能写在数据库旁边。",
                en:
                    "\(path) cannot be used: \(reason.english). What is restored, and what it replaces, lies there; it must be beside the "
                    + "database.")
        case .nameTaken(let name, let path):
            BilingualText(
                zh: "\(path) 中已有 \(name)。请查看后移走它，再重试。",
                en: "\(path) has something called \(name) already. Look at it, move it away, then try again.")
        }
    }
}
