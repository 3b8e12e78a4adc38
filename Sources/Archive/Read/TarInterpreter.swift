// SPDX-License-Identifier: Apache-2.0

import Wording

/// Turns tar headers into entries below the one folder at the top, and refuses whatever would be written elsewhere.
struct TarInterpreter {
    let archive: String
    private(set) var top: [UInt8]?

    init(archive: String) { self.archive = archive }

    /// - Returns: `nil` for the folder at the top itself.
    /// - Throws: `ArchiveError.unsafeEntry` and `.notABackup`.
    mutating func entry(_ header: TarHeader) throws(ArchiveError) -> ArchiveEntry? {
        guard let path = try below(top: header) else { return nil }
        return try entry(header, path)
    }

    /// The path below the one folder at the top, whatever that is called; `nil` for that folder itself.
    private mutating func below(top header: TarHeader) throws(ArchiveError) -> EntryPath? {
        if header.type == UInt8(ascii: "5"),
            header.path.allSatisfy({ $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }),
            !header.path.starts(with: "..".utf8), header.path.first == UInt8(ascii: ".")
        {
            throw ArchiveError.notABackup(
                archive: archive, reason: .init(zh: "文件不在同一个顶层目录中", en: "its files are not in one folder at its top"))
        }
        let path = try safe(header.path, of: header)
        let components = path.components
        let first = Array(components[0])
        if top == nil { top = first }
        guard first == top else {
            throw ArchiveError.notABackup(
                archive: archive,
                reason: .init(
                    zh: "有多个顶层目录：\(EntryPath(top ?? []) ?? path) 和 \(path)",
                    en: "it has several folders at its top, \(EntryPath(top ?? []) ?? path) and \(path)"))
        }
        guard components.count > 1 else {
            guard header.type == UInt8(ascii: "5") else {
                throw ArchiveError.notABackup(
                    archive: archive, reason: .init(zh: "\(path) 不在目录中", en: "\(path) stands outside a folder"))
            }
            return nil
        }
        guard let topPath = EntryPath(first) else { return nil }
        return path.relative(to: topPath)
    }

    private func entry(_ header: TarHeader, _ path: EntryPath) throws(ArchiveError) -> ArchiveEntry {
        var entry = ArchiveEntry(
            path: path, kind: .file, size: 0, mode: header.mode, owner: header.owner, group: header.group,
            modified: header.modified)
        switch header.type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): entry.size = header.size
        case UInt8(ascii: "5"): entry.kind = .directory
        case UInt8(ascii: "2"):
            guard path.staysInside(linkTarget: header.link) else {
                throw unsafe(header, ArchiveError.linkLeaving)
            }
            entry.kind = .symbolicLink(target: header.link)
        case UInt8(ascii: "1"):
            let target = try safe(header.link, of: header)
            guard let first = target.components.first, let topPath = EntryPath(Array(first)), Array(first) == top,
                let relative = target.relative(to: topPath)
            else { throw unsafe(header, ArchiveError.hardLinkLeaving) }
            entry.kind = .hardLink(target: relative)
        default: throw unsafe(header, .init(zh: "既不是文件、目录，也不是链接", en: "neither a file nor a folder nor a link"))
        }
        return entry
    }

    private func safe(_ bytes: [UInt8], of header: TarHeader) throws(ArchiveError) -> EntryPath {
        guard let path = EntryPath(bytes) else {
            throw unsafe(header, .init(zh: "指向目录之外的名称", en: "a name that leaves its folder"))
        }
        return path
    }

    func unsafe(_ header: TarHeader, _ reason: BilingualText) -> ArchiveError {
        .unsafeEntry(archive: archive, path: String(decoding: header.path, as: UTF8.self), reason: reason)
    }
}
