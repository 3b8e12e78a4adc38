// SPDX-License-Identifier: Apache-2.0

import Archive
import Glibc
import SystemIO

/// A small tree that changes at random, in every way a live tree may between two backups.
struct RandomEdits {
    private var random: SeededRandom
    private let root: FilePath
    private var serial = 0

    init(seed: UInt64, at root: FilePath) throws {
        random = SeededRandom(seed)
        self.root = root
        try Directory.make(root)
        for _ in 0..<5 { try makeFolder() }
        for _ in 0..<60 { try makeFile() }
    }

    /// Does between nothing and five things.
    mutating func edit() throws {
        for _ in 0..<pick(6) { try editOnce() }
    }

    private mutating func editOnce() throws {
        switch pick(16) {
        case 0, 1, 2: try makeFile()
        case 3: try makeFolder()
        case 4: if let file = anyone("f") { try append(file, random.text(1 + pick(900))) }
        case 5: if let file = anyone("f") { try OpenFile(file, .append(mode: 0o644)).truncate(to: UInt64(pick(50))) }
        case 6: if let file = anyone("f") { try Directory.remove(file) }
        case 7: if let file = anyone("f") { try Directory.rename(file, to: newName("moved")) }
        case 8: if let file = anyone("f") { try OpenFile(file, .read).setMode(pick(2) == 0 ? 0o600 : 0o644) }
        case 9: if let file = anyone("f") { try sameSizeWithOldTime(file) }
        case 10: if let folder = anyone("d"), pick(3) == 0 { try Directory.removeTree(folder) }
        case 11: if let file = anyone("f") { try Directory.link(file, as: newName("link")) }
        case 12:
            let name = newName("symlink")
            try OpenFile(name.parent, .directory).makeSymbolicLink(
                name.lastComponent, to: Array("target\(serial)".utf8), modified: .now())
        case 13: if let file = anyone("f") { try replace(file) }
        case 14: try large()
        default: if let file = anyone("f") { try OpenFile(file, .read).setModified(FileTime(seconds: 1_000_000)) }
        }
    }

    private mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    private mutating func newName(_ kind: String) -> FilePath {
        serial += 1
        let parent = pick(3) == 0 ? root : anyone("d") ?? root
        // The number comes last, so that new names fall among the old ones in every place.
        return parent.appending("\(Character(UnicodeScalar(UInt8(97 + pick(26)))))-\(kind)-\(serial)")
    }

    private mutating func makeFile() throws {
        try OpenFile(newName("file"), .createNew(mode: 0o644)).write(random.text(pick(4000)))
    }

    private mutating func makeFolder() throws { try Directory.make(newName("folder")) }

    private func append(_ file: FilePath, _ bytes: [UInt8]) throws {
        try OpenFile(file, .append(mode: 0o644)).write(bytes)
    }

    /// Only the time of the inode's last change tells.
    private mutating func sameSizeWithOldTime(_ path: FilePath) throws {
        let before = try FileStatus.of(path)
        guard before.size > 0 else { return }
        let file = try OpenFile(path, .readWrite(create: 0o644))
        try file.write(random.noise(1), at: before.size / 2)
        try file.setModified(before.modified)
    }

    /// A new inode under an old name, with the old size and time.
    private mutating func replace(_ path: FilePath) throws {
        let before = try FileStatus.of(path)
        let new = newName("new")
        let file = try OpenFile(new, .createNew(mode: before.mode))
        try file.write(random.text(Int(before.size)))
        try file.setModified(before.modified)
        try Directory.rename(new, to: path)
    }

    private mutating func large() throws {
        let path = root.appending("m-large")
        guard try FileStatus.ifPresent(path) != nil else {
            return try OpenFile(path, .createNew(mode: 0o644)).write(random.text(5 << 20))
        }
        if pick(3) == 0 { return try OpenFile(path, .append(mode: 0o644)).truncate(to: 4_500_000) }
        try append(path, random.text(1 + pick(100_000)))
    }

    /// - Parameter kind: `f` for a file, `d` for a folder.
    private mutating func anyone(_ kind: String) -> FilePath? {
        var found: [FilePath] = []
        func visit(_ folder: FilePath) {
            for name in (try? Directory.names(in: folder)) ?? [] {
                let path = folder.appending(name)
                guard let status = try? FileStatus.of(path) else { continue }
                if status.kind == .directory {
                    if kind == "d" { found.append(path) }
                    visit(path)
                } else if status.kind == .file, kind == "f" {
                    found.append(path)
                }
            }
        }
        visit(root)
        return found.isEmpty ? nil : found[pick(found.count)]
    }
}
