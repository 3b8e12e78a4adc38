// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import Wording

extension DeniedLooks {
    /// One sentence on what restored files are not, each with its count and an example.
    var warnings: [BilingualText] {
        let parts = Kind.allCases.compactMap { kind in counts[kind].map { (kind, $0) } }
        guard !parts.isEmpty else { return [] }
        let list = parts.map { kind, count in Self.text(kind, count) }
        return [
            BilingualText(zh: "部分文件没有恢复为备份时的样子：", en: "Not all is as it was backed up: ")
                + BilingualText(
                    zh: list.map { $0[.chinese] }.joined(separator: "；"),
                    en: list.map { $0[.english] }.joined(separator: "; "))
                + BilingualText(zh: "。", en: ".")
        ]
    }

    private static func text(_ kind: Kind, _ count: Count) -> BilingualText {
        let (number, path) = (count.number, "artifacts/\(count.example)")
        let user = geteuid()
        return switch kind {
        case .owner:
            BilingualText(
                zh: "\(number) 个条目（例如 \(path.shown)）的所有者或用户组无法设置，现在属于用户 \(user) 或其用户组，该组只有其他用户原本也有的权限；以 root 运行可恢复",
                en:
                    "the owner or group of \(number) entries, such as \(path.shown), could not be set, and they belong to user \(user) or "
                    + "its group now, which may do no more with them than all others might (a restore by root gives them back)"
            )
        case .setID:
            BilingualText(
                zh: "\(number) 个文件（例如 \(path.shown)）的 set-uid/set-gid 位没有设置，因为所有者不同，或者是 root",
                en:
                    "set-uid or set-gid of \(number) files, such as \(path.shown), was not set, since their owner is another one, or root"
            )
        case .accessList:
            BilingualText(
                zh: "\(number) 个条目（例如 \(path.shown)）的访问控制列表（ACL）无法设置，权限只会更少",
                en:
                    "the access list (ACL) of \(number) entries, such as \(path.shown), could not be set; nobody has more rights for that"
            )
        case .attributes:
            BilingualText(
                zh: "\(number) 个条目（例如 \(path.shown)）的扩展属性无法设置",
                en: "extended attributes of \(number) entries, such as \(path.shown), could not be set")
        }
    }
}
