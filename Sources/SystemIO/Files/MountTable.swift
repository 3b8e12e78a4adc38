// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What is mounted where, as this process sees it (proc(5), `/proc/self/mountinfo`). A bind mount has the device of what it
/// shows, so only this tells it from a folder.
public enum MountTable {
    /// Mount points below a folder, not the folder itself.
    /// - Throws: `SystemError` where the folder is not there.
    public static func points(below folder: FilePath) throws(SystemError) -> [FilePath] {
        guard let resolved = folder.withCString({ realpath($0, nil) }) else {
            throw SystemError("resolve", path: folder.string)
        }
        defer { free(resolved) }
        let root = FilePath(bytes: Array(FilePath(String(cString: resolved)).bytes)).bytes
        let prefix = root == [slash] ? root : root + [slash]
        let table = try OpenFile("/proc/self/mountinfo", .read).readAll()
        return table.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count > 4 else { return nil }
            let point = unescaped(fields[4])
            return point.starts(with: prefix) && point.count > prefix.count ? FilePath(bytes: point) : nil
        }
    }

    /// Spaces, tabs, line breaks and backslashes are written as three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            guard byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) })
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(digits.reduce(0) { $0 &* 8 &+ ($1 - 0x30) })
            rest = rest.dropFirst(3)
        }
        return bytes
    }
}

private let slash = UInt8(ascii: "/")
