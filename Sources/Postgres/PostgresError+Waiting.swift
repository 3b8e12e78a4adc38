// SPDX-License-Identifier: Apache-2.0

import Wording

extension PostgresError {
    /// Somebody else's sessions that stand in our way, by name.
    var waitExplanation: BilingualText {
        switch self {
        case .tablesInUse(let seconds, let holders):
            let (chinese, english) = (holders.joined(separator: "；"), holders.joined(separator: "; "))
            return BilingualText(
                zh: "MLflow 的表被其他会话占用超过 \(seconds) 秒\(holders.isEmpty ? "" : "：" + chinese)。"
                    + "线上数据未被改动；请等待长事务或迁移结束，或结束这些会话（pg_terminate_backend），然后重试。",
                en: "Tables of MLflow are held by other sessions for longer than \(seconds) s"
                    + (holders.isEmpty ? "" : ": " + english) + ". The live data was not touched; wait until long "
                    + "transactions or migrations have ended, or end those sessions (pg_terminate_backend), then try again."
            )
        case .processStuck(let seconds, let processes) where processes.isEmpty:
            return BilingualText(
                zh: "PostgreSQL 等待其他会话或服务器进程超过 \(seconds) 秒，未能得知是哪些。"
                    + "请在数据库服务器上查看 pg_stat_activity 和 pg_locks，并确认还有空闲连接，然后重试。",
                en: "PostgreSQL waited longer than \(seconds) s for other sessions or server processes, and nobody "
                    + "could see which. Look at pg_stat_activity and pg_locks on the database server, and whether it has "
                    + "connections left, then try again.")
        case .processStuck(let seconds, let processes):
            return BilingualText(
                zh: "PostgreSQL 等待下列服务器进程超过 \(seconds) 秒，它们没有反应：\(processes.joined(separator: "；"))。"
                    + "请在数据库服务器上查看并结束它们（pg_terminate_backend；停住的进程用 kill -CONT，必要时重启 PostgreSQL），然后重试。",
                en: "PostgreSQL waited longer than \(seconds) s for server processes that do not react: "
                    + processes.joined(separator: "; ") + ". Look at them on the database server and end them "
                    + "(pg_terminate_backend; `kill -CONT` for one that is stopped, or restart PostgreSQL), then try again."
            )
        case .workUnfinished(let seconds, let process):
            return BilingualText(
                zh: "PostgreSQL 处理一条语句超过 \(seconds) 秒仍未完成，已取消（\(process)）。"
                    + "请检查数据库服务器的磁盘和负载，然后重试。",
                en: "PostgreSQL was at one statement for longer than \(seconds) s, and it was cancelled (\(process)). "
                    + "Look at the disk and the load of the database server, then try again.")
        case .maintenanceDatabaseDiffers(let database, let ours, let other, let holder):
            return BilingualText(
                zh: "另一个备份服务正在处理数据库 \(database)，其 POSTGRES_MAINTENANCE_DB 是 \(other)，而这里是 \(ours)（\(holder)）。"
                    + "锁在不同的维护数据库中互不可见；请把所有备份服务的 POSTGRES_MAINTENANCE_DB 设为同一个。",
                en:
                    "Another backup service works on database \(database) with POSTGRES_MAINTENANCE_DB=\(other), and here it is "
                    + "\(ours) (\(holder)). Locks in different maintenance databases do not see each other: set "
                    + "POSTGRES_MAINTENANCE_DB to the same name in every backup service of this MLflow.")
        default: return BilingualText.empty
        }
    }
}
