// SPDX-License-Identifier: Apache-2.0

import Wording

extension PostgresError {
    /// What this role may not do, and who can change that.
    var rightsExplanation: BilingualText {
        switch self {
        case .insufficientPrivilege(let user, let reason):
            return BilingualText(
                zh: "用户 \(user) 权限不足（\(reason)）。请让该用户成为数据库及其中各表的所有者，或授予相应权限。",
                en: "The role \(user) lacks a privilege (\(reason)). "
                    + "Make it the owner of the database and its tables, or grant what is missing.")
        case .mayNotCreateDatabases(let user):
            return BilingualText(
                zh: "用户 \(user) 无权创建数据库，恢复需要该权限。请以超级用户执行：ALTER ROLE \(user.asQuotedIdentifier) CREATEDB;",
                en: "The role \(user) may not create databases, which a restore needs. "
                    + "As a superuser run: ALTER ROLE \(user.asQuotedIdentifier) CREATEDB;")
        case .databaseNotOwned(let name, let owner, let user):
            let give = "ALTER DATABASE \(name.asQuotedIdentifier) OWNER TO \(user.asQuotedIdentifier);"
            return BilingualText(
                zh: "数据库 \(name) 属于 \(owner)，用户 \(user) 没有该所有者的权限，恢复时无法为数据库改名。请以超级用户执行："
                    + "\(give) 或把角色 \(owner) 授予它（须为 INHERIT）。",
                en: "The database \(name) belongs to \(owner), whose rights the role \(user) lacks, and a restore "
                    + "renames it. As a superuser run: \(give) or grant it the "
                    + "role \(owner) (it must INHERIT).")
        case .tablesNotLockable(let user, let tables):
            let names = tables.map(\.description).joined(separator: ", ")
            return BilingualText(
                zh: "用户 \(user) 无权读取并锁定下列表（LOCK TABLE … IN SHARE MODE），恢复需要这些权限：\(names)。"
                    + "请以其所有者或超级用户执行：GRANT SELECT, UPDATE ON \(names) TO \(user.asQuotedIdentifier);（模式上还需 USAGE），"
                    + "或让该用户成为这些表的所有者。",
                en: "The role \(user) may not read and lock these tables (LOCK TABLE … IN SHARE MODE), which a restore "
                    + "needs: \(names). As their owner or a superuser run: GRANT SELECT, UPDATE ON \(names) TO "
                    + "\(user.asQuotedIdentifier); (and USAGE on their schema), or make it their owner.")
        case .databaseNotReadable(let user, let objects, isRestored: true):
            let names = objects.named.joined(separator: "; ")
            return BilingualText(
                zh: "恢复出的数据库中，用户 \(user)（数据库的会话以其身份工作）无权读取：\(names)。线上数据未被改动。"
                    + "请以超级用户恢复，或检查数据库的 role 设置与该用户的角色成员关系。",
                en:
                    "Of the restored database the role \(user), as which sessions work in it, may not read: \(names). The live data "
                    + "was not touched. Restore as a superuser, or look at the database's setting of role, and at what that role is "
                    + "a member of.")
        case .databaseNotReadable(let user, let objects, _):
            let (names, remedies) = (objects.named.joined(separator: "; "), objects.remedies(for: user))
            return BilingualText(
                zh: "用户 \(user) 无权读取数据库中的全部内容，无法备份：\(names)。请以其所有者或超级用户执行：\(remedies.joined(separator: " "))",
                en:
                    "The role \(user) may not read all of the database, so it cannot be backed up: \(names). As their owner "
                    + "or a superuser run: \(remedies.joined(separator: " "))")
        case .needsSuperuser(let user, let tables):
            let names = tables.prefix(10).joined(separator: ", ")
            return BilingualText(
                zh: "以用户 \(user) 无法恢复：\(tables.count) 个表依赖需要超级用户才能创建的对象（\(names)）。请以超级用户恢复。线上数据未被改动。",
                en:
                    "The role \(user) cannot restore this: \(tables.count) tables depend on what takes a superuser to make "
                    + "(\(names)). Restore as a superuser. The live data was not touched.")
        case .extensionsUnavailable(let extensions, let tables):
            let (missing, names) = (
                extensions.joined(separator: ", "), tables.prefix(10).joined(separator: ", ")
            )
            return BilingualText(
                zh: "此数据库服务器无法创建 \(tables.count) 个表（\(names)）所依赖的扩展：\(missing)。"
                    + "请先在数据库服务器上安装这些扩展（与服务器版本相符的软件包），再恢复。线上数据未被改动。",
                en: "This server cannot make extensions that \(tables.count) tables (\(names)) depend on: \(missing). "
                    + "Install them on the database server (the package for its version), then restore again. "
                    + "The live data was not touched.")
        default: return BilingualText.empty
        }
    }
}
