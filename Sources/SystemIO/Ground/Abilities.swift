// SPDX-License-Identifier: Apache-2.0

import Wording

/// What can be done on a file system, found by doing it (`FileSystemProbe`). Its type tells little: the same FUSE serves them all.
package struct Abilities: Sendable, Equatable {
    package enum Ability: String, Sendable, CaseIterable {
        case fileSync, folderSync, locks
        case renameWithoutReplacing, exchange, hardLinks, symbolicLinks, sharedBlocks
        /// A file keeps its inode under another name: what tells two files from one is the file, and not its path. Where second
        /// names have another inode, or there are none, numbers are made up as files are looked up, and other ones later.
        case identity
        /// The time of an inode's last change is the file system's own, and no program can set it.
        case changeTime
        case modes, owners, anyBytesInNames, caseInNames, longNames, nanoseconds
    }

    package internal(set) var has: Set<Ability>

    package func lacking(of wanted: [Ability] = Ability.allCases) -> [Ability] { wanted.filter { !has.contains($0) } }
}

extension Abilities.Ability {
    /// As the object of "it has no …".
    package var words: BilingualText {
        switch self {
        case .fileSync: BilingualText(zh: "文件落盘（fsync）", en: "fsync of files")
        case .folderSync: BilingualText(zh: "目录落盘（fsync）", en: "fsync of folders")
        case .locks: BilingualText(zh: "文件锁（flock）", en: "file locks (flock)")
        case .renameWithoutReplacing: BilingualText(zh: "不覆盖的重命名", en: "rename without replacing")
        case .exchange: BilingualText(zh: "名称交换", en: "exchange of names")
        case .hardLinks: BilingualText(zh: "硬链接", en: "hard links")
        case .symbolicLinks: BilingualText(zh: "符号链接", en: "symbolic links")
        case .sharedBlocks: BilingualText(zh: "数据块共享（reflink）", en: "shared blocks (reflinks)")
        case .identity: BilingualText(zh: "固定的 inode 编号", en: "inode numbers that stay")
        case .changeTime: BilingualText(zh: "独立的状态变更时间（ctime）", en: "a time of change of its own (ctime)")
        case .modes: BilingualText(zh: "权限位", en: "permission bits")
        case .owners: BilingualText(zh: "文件所有者", en: "owners")
        case .anyBytesInNames: BilingualText(zh: "非 UTF-8 或含特殊字符的文件名", en: "names with any bytes")
        case .caseInNames: BilingualText(zh: "区分大小写的文件名", en: "names that differ by case")
        case .longNames: BilingualText(zh: "255 字节的文件名", en: "names of 255 bytes")
        case .nanoseconds: BilingualText(zh: "纳秒级时间", en: "times finer than a second")
        }
    }
}

extension Collection<Abilities.Ability> {
    /// For a sentence, in order.
    package var words: BilingualText {
        BilingualText(
            zh: map(\.words.chinese).joined(separator: "、"), en: map(\.words.english).joined(separator: ", "))
    }
}
