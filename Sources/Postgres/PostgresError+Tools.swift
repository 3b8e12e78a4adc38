// SPDX-License-Identifier: Apache-2.0

import Wording

extension PostgresError {
    var toolExplanation: BilingualText {
        switch self {
        case .toolMissing(let path):
            BilingualText(
                zh: "找不到 PostgreSQL 客户端程序 \(path)。请安装 postgresql-client，或把 PG_BIN_DIR 设为它所在的目录。",
                en:
                    "The PostgreSQL program \(path) was not found. Install postgresql-client, or set PG_BIN_DIR to the folder "
                    + "that it is in.")
        case .toolTooOld(let tool, let toolVersion, let serverVersion, let command):
            BilingualText(
                zh: "\(tool) 的版本是 \(toolVersion)，低于服务器版本 \(serverVersion)，无法备份。请安装版本 \(serverVersion) 的客户端程序："
                    + Self.getting(serverVersion, command) + "；或把 PG_BIN_DIR 设为它们所在的目录。",
                en:
                    "\(tool) is version \(toolVersion), older than the server's \(serverVersion), and cannot dump it. Get the client programs of "
                    + "version \(serverVersion): \(Self.getting(serverVersion, command)); or set PG_BIN_DIR to the folder that they are in."
            )
        case .toolTooNew(let tool, let toolVersion, let serverVersion, let command):
            BilingualText(
                zh: "\(tool) 的版本是 \(toolVersion)，它无法恢复到版本为 \(serverVersion) 的服务器（会设置旧服务器没有的参数）。"
                    + "请安装版本 \(serverVersion) 的客户端程序：" + Self.getting(serverVersion, command)
                    + "；或把 PG_BIN_DIR 设为它们所在的目录，或升级服务器。",
                en:
                    "\(tool) is version \(toolVersion) and cannot restore into a server of version \(serverVersion) (it sets "
                    + "a parameter that this server does not know). Get the client programs of version \(serverVersion): "
                    + "\(Self.getting(serverVersion, command)); or set PG_BIN_DIR to the folder that they are in, or upgrade the server."
            )
        case .dumpTooNew(let dump, let tool, let server, let needed?, let command):
            BilingualText(
                zh:
                    "备份由 PostgreSQL \(dump) 的 pg_dump 生成，版本为 \(tool) 的 pg_restore 无法读取。请安装版本 \(needed) 的客户端程序（它也能恢复到版本为 "
                    + "\(server) 的服务器）：\(Self.getting(needed, command))；或把 PG_BIN_DIR 设为它们所在的目录。线上数据未被改动。",
                en:
                    "The backup was dumped by pg_dump \(dump), which pg_restore \(tool) cannot read. Get the client programs of version "
                    + "\(needed), which can restore it into a server of version \(server), too: \(Self.getting(needed, command)); or set "
                    + "PG_BIN_DIR to the folder that they are in. The live data was not touched.")
        case .dumpTooNew(let dump, let tool, let server, nil, _):
            BilingualText(
                zh: "备份由 PostgreSQL \(dump) 的 pg_dump 生成，版本为 \(tool) 的 pg_restore 无法读取；能读取它的 pg_restore（17 及以上）"
                    + "又无法恢复到版本为 \(server) 的服务器。请把服务器升级到 \(dump)，或恢复到另一台这样的服务器。线上数据未被改动。",
                en:
                    "The backup was dumped by pg_dump \(dump), which pg_restore \(tool) cannot read, and those that can (17 and later) cannot "
                    + "restore into a server of version \(server). Upgrade the server to \(dump), or restore into another one of that "
                    + "version. The live data was not touched.")
        case .toolFailed(let tool, let exit, let lines):
            BilingualText(
                zh: "\(tool) 失败（\(exit)）：\(lines.joined(separator: " / "))。请排除原因后重试。",
                en: "\(tool) failed (\(exit)): \(lines.joined(separator: " / ")). Remove the cause, then try again.")
        case .passwordNotExpressible:
            BilingualText(
                zh: "数据库密码含有换行符，pg_dump 无法使用。请更换密码（检查密码文件末尾的多余换行）。",
                en: "The database password holds a line break, which pg_dump cannot be given. Change it "
                    + "(or look for a stray line in the password file).")
        default: BilingualText.empty
        }
    }

    /// What gets the client programs of a major version: what somebody said for this place, else what does on Debian and Ubuntu, whose
    /// own packages have one version each (https://wiki.postgresql.org/wiki/Apt).
    static func getting(_ major: Int, _ command: String?) -> String {
        command
            ?? "apt-get install -y postgresql-common && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y && "
            + "apt-get install -y postgresql-client-\(major)"
    }
}
