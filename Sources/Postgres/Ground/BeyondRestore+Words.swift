// SPDX-License-Identifier: Apache-2.0

import Wording

extension BeyondRestore {
    /// What a restore by this role will not bring back, one sentence a fate, before it is made.
    package static func notices(_ objects: [BeyondRestore], role: String) -> [BilingualText] {
        Fate.allCases.compactMap { fate in
            let those = objects.filter { $0.fate == fate }
            return those.isEmpty ? nil : notice(fate, those, role, losesRows: objects.contains { $0.fate == .rowsLost })
        }
    }

    /// What a restore did not bring back, in sentences that can be read, to the end of the list: a warning that is cut keeps from a person,
    /// and from the log, what he would have had to know.
    package static func afterwards(_ objects: [BeyondRestore]) -> [BilingualText] {
        let ofTheirOwn: [Fate] = [
            .shutOut, .mayHide, .passedOver, .notHandedOver, .handedOver, .staysFormers,
        ]
        let told = ofTheirOwn.flatMap { fate in
            parts(objects.filter { $0.fate == fate }).map { notice(fate, Array($0), "", losesRows: false) }
        }
        let rest = objects.filter { !ofTheirOwn.contains($0.fate) }
        let losesRows = rest.contains { $0.fate == .rowsLost }
        let installing = rest.contains { $0.fate == .unavailable }
        let restParts = parts(rest)
        return told
            + restParts.enumerated().map { number, part in
                let names = list(part, atMost: part.count)
                let isLast = number == restParts.count - 1
                let text = BilingualText(
                    zh: "恢复未能原样带回：\(names.chinese)。", en: "Not brought back as it was: \(names.english).")
                guard isLast else { return text }
                return BilingualText(
                    zh: text.chinese + "\(losesRows ? "其余数据" : "数据")已全部恢复；"
                        + "\(installing ? "请先在数据库服务器上安装缺少的扩展，" : "")需要时请以超级用户重新创建。",
                    en: text.english + " All \(losesRows ? "other " : "")rows are there; "
                        + (installing ? "install on the database server what it lacks, and " : "")
                        + "make what you need again as a superuser.")
            }
    }

    private static let inSentence = 20

    private static func parts(_ objects: [BeyondRestore]) -> [ArraySlice<BeyondRestore>] {
        stride(from: 0, to: objects.count, by: inSentence).map { objects[$0..<min($0 + inSentence, objects.count)] }
    }

    private static func notice(
        _ fate: Fate, _ objects: [BeyondRestore], _ role: String, losesRows: Bool
    ) -> BilingualText {
        let names = list(objects)
        return switch fate {
        case .leftOut:
            BilingualText(
                zh: "以用户 \(role) 恢复时，下列对象不会恢复（需要超级用户，或依赖这样的对象）：\(names.chinese)。"
                    + "\(losesRows ? "" : "数据不受影响；")以超级用户恢复可带回它们。",
                en: "A restore by the role \(role) leaves out what takes a superuser, and what depends on that: "
                    + "\(names.english). " + (losesRows ? "A" : "No rows are lost; a")
                    + " restore by a superuser brings them back.")
        case .unavailable:
            BilingualText(
                zh: "此数据库服务器上没有（或无法创建）下列扩展，恢复时它们及依赖它们的对象不会恢复；其中若有表，恢复会失败：\(names.chinese)。"
                    + "请先在数据库服务器上安装这些扩展。",
                en:
                    "This server has not the files of an extension, whatever the role: a restore leaves out the extension and "
                    + "what depends on it, and fails where that is a table: \(names.english). Install it on the database server."
            )
        case .rowsLost:
            BilingualText(
                zh: "存入下列扩展的表中的数据，会随不能恢复的扩展一起丢失：\(names.chinese)。能够创建这些扩展的恢复（以超级用户，或安装扩展之后）会带回它们。",
                en:
                    "What was put into tables of extensions that are left out is left out with them: \(names.english). A restore "
                    + "that can make the extension (by a superuser, or once it is installed) brings it back.")
        case .fails:
            BilingualText(
                zh: "以用户 \(role) 恢复会失败：下列表依赖需要超级用户才能创建的对象：\(names.chinese)。请以超级用户恢复。",
                en: "A restore by the role \(role) would fail: these tables depend on what takes a superuser to make: "
                    + "\(names.english). Restore as a superuser.")
        case .never:
            BilingualText(
                zh: "恢复不会带回订阅（它们会立即开始复制）：\(names.chinese)。需要时请重新创建；旧数据库中的订阅会继续复制，"
                    + "并使其无法删除，请在恢复后于旧数据库中执行 DROP SUBSCRIPTION。",
                en: "A restore does not bring subscriptions back, which would begin to replicate: \(names.english). "
                    + "Make them again where they are needed. In the database that it puts aside they go on, and keep it from "
                    + "being dropped: run DROP SUBSCRIPTION there.")
        case .notInBackup:
            BilingualText(
                zh: "备用服务器上没有 UNLOGGED 表的数据，本备份中也没有：\(names.chinese)。需要时请从主服务器备份。",
                en:
                    "A standby has not the rows of unlogged tables, and a backup of it has not either: \(names.english). "
                    + "Back up the primary where they are needed.")
        case .staysBehind:
            BilingualText(
                zh: "逻辑复制槽属于恢复时被替换的旧数据库，会继续保留 WAL 并可能写满磁盘：\(names.chinese)。"
                    + "恢复后请用 pg_drop_replication_slot 删除，并为新数据库重新创建。",
                en:
                    "Logical replication slots belong to the database that a restore puts aside, keep its WAL, and may fill "
                    + "the disk: \(names.english). Drop them after a restore (pg_drop_replication_slot), and make them "
                    + "again for the new one.")
        case .ownerChanges:
            BilingualText(
                zh: "以用户 \(role) 恢复后，它无权交还的对象将归其所有：\(names.chinese)。",
                en:
                    "After a restore by the role \(role) what it may not give to its owner is its own: \(names.english)."
            )
        case .moves:
            BilingualText(
                zh: "以用户 \(role) 恢复后，下列表空间中的对象将位于数据库的默认表空间：\(names.chinese)。",
                en:
                    "After a restore by the role \(role) what is in these tablespaces, where it may make nothing, is in "
                    + "the database's own: \(names.english).")
        case .shutOut:
            BilingualText(
                zh: "恢复之后，下列角色不能再读写 MLflow 的这些表：\(names.chinese)。授权与行策略来自备份；如仍需要，请在启动客户端之前重新授予（GRANT）。",
                en:
                    "After this restore these roles cannot do this with MLflow's tables any more: \(names.english). Grants and row "
                    + "policies are the backup's; GRANT them again what they still need, before their clients go on.")
        case .mayHide:
            BilingualText(
                zh: "此处 MLflow 的表属于角色 \(heirs(objects))，而下列行策略取决于读写者是谁，因此无法得知它能否看到并写入所有行：\(names.chinese)。"
                    + "请以该角色核对行数。",
                en:
                    "MLflow's tables are the role \(heirs(objects))'s here, and these row policies depend on who reads or writes, so that nobody "
                    + "knows whether it sees every row, and may write each: \(names.english). Count the rows as that role."
            )
        case .passedOver:
            BilingualText(
                zh: "原数据库中没有足够的 MLflow 表可以说明它们归谁所有：现归角色 \(heirs(objects))。下列角色也可能是 MLflow 在此使用的角色：\(names.chinese)。"
                    + "若是，请将这些表改归它（ALTER TABLE … OWNER TO）。",
                en:
                    "The database had none of MLflow's tables, or too few, to say whose they are: they are the role \(heirs(objects))'s now. "
                    + "MLflow may as well work here as this one: \(names.english). If it does, give them to it (ALTER TABLE … OWNER TO)."
            )
        case .staysFormers:
            BilingualText(
                zh: "此处 MLflow 的表属于角色 \(heirs(objects))，但下列用户映射（其中可能有另一台服务器的密码）仍归原角色：\(names.chinese)。"
                    + "需要时请为新的角色创建（CREATE USER MAPPING）。",
                en:
                    "MLflow's tables are the role \(heirs(objects))'s here, but a user mapping, which may hold a password for another server, "
                    + "stays with the role that had them: \(names.english). Make one for the new role where it needs it (CREATE USER "
                    + "MAPPING).")
        case .handedOver:
            BilingualText(
                zh: "此处 MLflow 的表属于角色 \(heirs(objects))，备份中授予原角色的权限也随之归它：\(names.chinese)。",
                en:
                    "MLflow's tables are the role \(heirs(objects))'s here, and so is what the backup gave to the role that had them: "
                    + "\(names.english).")
        case .notHandedOver:
            BilingualText(
                zh: "MLflow 的表在此处归另一角色，但无法确定备份中哪些权限、行策略和默认权限是给 MLflow 的，因此未作改动：\(names.chinese)。"
                    + "需要时请自行授予新的角色。",
                en:
                    "MLflow's tables are another role's here, but it is not certain which grants, row policies and default privileges "
                    + "of the backup were meant for MLflow, and they were left as they are: \(names.english). Give the new role what it "
                    + "needs.")
        }
    }

    private static func heirs(_ objects: [BeyondRestore]) -> String {
        Set(objects.compactMap(\.role)).sorted().joined(separator: ", ")
    }

    /// The first twenty.
    static func list(_ objects: some Collection<BeyondRestore>, atMost limit: Int = inSentence) -> BilingualText {
        let shown = objects.prefix(limit).map { object in
            guard let count = object.count else {
                let text = object.description + (object.reason.map { " (\($0))" } ?? "")
                return BilingualText(zh: text, en: text)
            }
            return object.counted(count)
        }
        let more = objects.count - shown.count
        return BilingualText(
            zh: shown.map(\.chinese).joined(separator: "、") + (more > 0 ? " 等 \(objects.count) 个" : ""),
            en: shown.map(\.english).joined(separator: ", ") + (more > 0 ? " and \(more) more" : ""))
    }

    private func counted(_ count: Int) -> BilingualText {
        let (zh, en) = (reason.map { "（\($0)）" } ?? "", reason.map { " (\($0))" } ?? "")
        let isOne = count == 1
        return switch kind {
        case "grants":
            BilingualText(
                zh: "授予 \(name) 的 \(count) 项权限\(zh)", en: "\(count) grant\(isOne ? "" : "s") to \(name)\(en)")
        case "default privileges":
            BilingualText(
                zh: "与 \(name) 有关的 \(count) 项默认权限\(zh)",
                en: "\(count) default privilege\(isOne ? "" : "s") of or to \(name)\(en)")
        case "policies":
            BilingualText(
                zh: "针对 \(name) 的 \(count) 条行策略\(zh)",
                en: "\(count) \(isOne ? "policy" : "policies") for \(name)\(en)")
        default:
            BilingualText(zh: "\(name)（\(count) 个对象）", en: "\(name) (\(count) object\(isOne ? "" : "s"))")
        }
    }
}
