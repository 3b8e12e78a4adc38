// SPDX-License-Identifier: Apache-2.0

import Wording

extension PostgresError: ExplainedError {
    package var explanation: BilingualText {
        switch self {
        case .unreachable, .authenticationFailed, .notSecured, .tooManyConnections, .connectionLost: sessionExplanation
        case .stackBusy, .pooled, .maintenanceDatabaseNotUsable, .preparedTransactions: lockExplanation
        case .tablesInUse, .processStuck, .workUnfinished, .maintenanceDatabaseDiffers: waitExplanation
        case .insufficientPrivilege, .mayNotCreateDatabases, .databaseNotOwned, .tablesNotLockable,
            .databaseNotReadable, .needsSuperuser, .extensionsUnavailable:
            rightsExplanation
        case .toolMissing, .toolTooOld, .toolTooNew, .dumpTooNew, .toolFailed, .passwordNotExpressible: toolExplanation
        default: statementExplanation
        }
    }

    private var sessionExplanation: BilingualText {
        switch self {
        case .unreachable(let host, let port, let reason):
            BilingualText(
                zh: "无法连接 PostgreSQL \(host):\(port)（\(reason)）。请确认数据库正在运行，并检查主机和端口设置。",
                en: "PostgreSQL at \(host):\(port) cannot be reached (\(reason)). "
                    + "Check that it is running and that the host and port are right.")
        case .authenticationFailed(let user):
            BilingualText(
                zh: "PostgreSQL 拒绝了用户 \(user) 的登录。请检查用户名、密码和 pg_hba.conf。",
                en: "PostgreSQL refused the login of \(user). Check the user name, the password and pg_hba.conf.")
        case .notSecured(let host, let port, let reason):
            BilingualText(
                zh:
                    "与 PostgreSQL \(host):\(port) 的加密连接未能建立（\(reason)）。PGSSLMODE 决定要求什么：verify-ca 和 verify-full 要求 PGSSLROOTCERT"
                    + "（否则 ~/.postgresql/root.crt）中有签发服务器证书的 CA，verify-full 还要求 POSTGRES_HOST 是证书上的名称。请更正这些设置，或服务器的证书。",
                en:
                    "The encrypted connection to PostgreSQL at \(host):\(port) could not be made (\(reason)). PGSSLMODE says what is demanded: "
                    + "for verify-ca and verify-full the file that PGSSLROOTCERT names (else ~/.postgresql/root.crt) must have the CA of the "
                    + "server's certificate, and for verify-full POSTGRES_HOST must be a name on it. Correct these, or the server's certificate."
            )
        case .tooManyConnections(let reason):
            BilingualText(
                zh: "PostgreSQL 的连接数已满（\(reason)）。请关闭闲置连接，或调大相应上限（服务器的 max_connections，或用户、数据库的 CONNECTION LIMIT）后重试。",
                en: "PostgreSQL has no free connection (\(reason)). "
                    + "Close idle ones, or raise the limit (max_connections of the server, or CONNECTION LIMIT of the role or "
                    + "the database), then try again.")
        case .connectionLost(let reason):
            BilingualText(
                zh: "与 PostgreSQL 的连接中断（\(reason)）。请查看数据库日志，恢复后重试。",
                en: "The connection to PostgreSQL was lost (\(reason)). See the server's log, then try again.")
        default: BilingualText.empty
        }
    }

    private var lockExplanation: BilingualText {
        switch self {
        case .stackBusy(let database, let holder):
            BilingualText(
                zh: "数据库 \(database) 上正有另一项备份或恢复（\(holder)）。请等待其结束后重试。",
                en: "Another backup or restore works on database \(database) (\(holder)). Wait for it, then try again.")
        case .pooled(let host, let port):
            BilingualText(
                zh: "\(host):\(port) 是按事务分配会话的连接池，备份和恢复需要直接连接。请把 POSTGRES_HOST 和 POSTGRES_PORT 设为 PostgreSQL 本身。",
                en:
                    "\(host):\(port) is a pooler that shares sessions between clients; backups and restores need a direct "
                    + "connection. Set POSTGRES_HOST and POSTGRES_PORT to PostgreSQL itself.")
        case .preparedTransactions(let database, let identifiers):
            BilingualText(
                zh:
                    "数据库 \(database) 有未结束的两阶段事务：\(identifiers.joined(separator: "、"))。请先执行 COMMIT PREPARED 或 ROLLBACK PREPARED。",
                en: "Database \(database) has prepared transactions: \(identifiers.joined(separator: ", ")). "
                    + "Run COMMIT PREPARED or ROLLBACK PREPARED for each first.")
        case .maintenanceDatabaseNotUsable(let name, let reason):
            BilingualText(
                zh:
                    "维护数据库 \(name) 不可用（\(reason.chinese)）。请创建它、授予 CONNECT，或设置 POSTGRES_MAINTENANCE_DB（同一套 MLflow 的所有备份服务须一致）。",
                en:
                    "The maintenance database \(name) cannot be used (\(reason.english)). Create it, grant CONNECT, or set "
                    + "POSTGRES_MAINTENANCE_DB (to the same name in every backup service of this MLflow).")
        default: BilingualText.empty
        }
    }

    private var statementExplanation: BilingualText {
        switch self {
        case .databaseMissing(let name):
            BilingualText(
                zh: "数据库 \(name) 不存在。请检查数据库名，或先创建它。",
                en: "There is no database named \(name). Check the name, or create it first.")
        case .databaseExists(let name):
            BilingualText(
                zh: "数据库 \(name) 已存在。它可能是中断的恢复留下的；确认不再需要后删除它，再重试。",
                en: "A database named \(name) exists already. An interrupted restore may have left it; "
                    + "drop it once it is no longer needed, then try again.")
        case .serverReadOnly(let host, let port):
            BilingualText(
                zh: "\(host):\(port) 是只读的备用服务器，无法恢复到其中。请把 POSTGRES_HOST 和 POSTGRES_PORT 设为主服务器。线上数据未被改动。",
                en: "\(host):\(port) is a standby, which takes no changes: nothing can be restored into it. Set "
                    + "POSTGRES_HOST and POSTGRES_PORT to the primary. The live data was not touched.")
        case .diskFull(let reason):
            BilingualText(
                zh: "数据库服务器的磁盘空间不足（\(reason)）。请释放空间后重试。",
                en: "There is no room left on the disk of the database server (\(reason)). Free some, then try again.")
        case .databaseInUse(let name, let holders):
            BilingualText(
                zh: "数据库 \(name) 正被其他会话使用，且当前用户无权结束它们：\(holders.joined(separator: "；"))。请先关闭这些会话，"
                    + "或授予 pg_signal_backend。线上数据未被改动。",
                en: "The database \(name) is in use by sessions that this role may not end: "
                    + "\(holders.joined(separator: "; ")). Close them first, or grant pg_signal_backend. "
                    + "The live data was not touched.")
        case .query(let sqlstate, let message):
            BilingualText(
                zh: "PostgreSQL 报错 \(sqlstate)：\(message)。请查看数据库日志。",
                en: "PostgreSQL reported \(sqlstate): \(message). See the server's log.")
        case .nulByte(let text):
            BilingualText(
                zh: "文本 \(text) 含有 NUL 字节，PostgreSQL 无法接受。请更正后重试。",
                en: "The text \(text) holds a NUL byte, which PostgreSQL does not accept. Correct it, then try again.")
        case .unexpectedValue(let column, let found):
            BilingualText(
                zh: "列 \(column) 的值（\(found)）不是预期的类型。数据库结构可能与本版本不符。",
                en: "Column \(column) holds \(found), which is not what was expected. "
                    + "The schema may not suit this version.")
        default: BilingualText.empty
        }
    }
}
