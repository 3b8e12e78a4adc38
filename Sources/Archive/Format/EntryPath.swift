// SPDX-License-Identifier: Apache-2.0

/// A name inside a backup: relative, in bytes, and unable to leave the folder it is put in.
///
/// The only way to make one is through the checks, so what holds an `EntryPath` need not look again.
package struct EntryPath: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// - Parameter bytes: components split by `/`. A leading `./` and trailing or doubled slashes are dropped.
    /// - Returns: `nil` for absolute names, `..`, NUL bytes, and names with nothing in them.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.first != slash, !bytes.contains(0) else { return nil }
        var clean: [UInt8] = []
        clean.reserveCapacity(bytes.count)
        for component in bytes.split(separator: slash) {
            if component.elementsEqual([dot]) { continue }
            if component.elementsEqual([dot, dot]) { return nil }
            if !clean.isEmpty { clean.append(slash) }
            clean.append(contentsOf: component)
        }
        guard !clean.isEmpty else { return nil }
        self.bytes = clean
    }

    package init?(_ string: String) { self.init(Array(string.utf8)) }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    package var description: String { String(decoding: bytes, as: UTF8.self) }
    package var components: [ArraySlice<UInt8>] { bytes.split(separator: slash) }

    /// - Parameter name: one component from a folder listing: no slash, not `.` or `..`.
    package func appending(name: [UInt8]) -> EntryPath {
        EntryPath(unchecked: bytes + [slash] + name)
    }

    /// The path below `folder`; `nil` where it is not below it.
    package func relative(to folder: EntryPath) -> EntryPath? {
        guard bytes.count > folder.bytes.count + 1, bytes[folder.bytes.count] == slash,
            bytes.starts(with: folder.bytes)
        else { return nil }
        return EntryPath(unchecked: Array(bytes[(folder.bytes.count + 1)...]))
    }

    /// Whether a symbolic link at this path with this target stays inside the folder that `self` is relative to.
    ///
    /// `..` may only lead the target. Behind a name it could climb out of whatever folder another link makes of that
    /// name (`a -> .`, `b/c -> ../a/..`), which words alone cannot tell.
    package func staysInside(linkTarget target: [UInt8]) -> Bool {
        guard !target.isEmpty, target.first != slash, !target.contains(0) else { return false }
        var depth = components.count - 1
        var sawName = false
        for component in target.split(separator: slash) {
            if component.elementsEqual([dot, dot]) {
                depth -= 1
                if depth < 0 || sawName { return false }
            } else if !component.elementsEqual([dot]) {
                sawName = true
            }
        }
        return true
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")
