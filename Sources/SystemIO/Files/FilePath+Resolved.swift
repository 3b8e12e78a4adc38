// SPDX-License-Identifier: Apache-2.0

import Glibc

extension FilePath {
    /// The path without links, dots and doubled slashes (realpath(3)); bytes, whatever their encoding.
    /// - Throws: ENOENT where nothing is there, or a link leads nowhere; ELOOP where links lead in a circle.
    package func resolved() throws(SystemError) -> FilePath {
        guard let found = withCString({ realpath($0, nil) }) else { throw SystemError("resolve", path: string) }
        defer { free(found) }
        return FilePath(
            bytes: Array(UnsafeBufferPointer(start: found, count: strlen(found))).map(UInt8.init(bitPattern:)))
    }

    /// The same of what may not be there yet: the part that is there is resolved, and no link can be in the rest of it.
    /// - Throws: ENOENT for a link that leads nowhere: what is made in its place would not be where it leads.
    package func resolvedAsFarAsThere() throws(SystemError) -> FilePath {
        do throws(SystemError) { return try resolved() } catch {
            guard error.code == ENOENT, try FileStatus.ifPresent(self) == nil, parent != self else { throw error }
        }
        let above = try parent.resolvedAsFarAsThere()
        switch lastComponent {
        case [], [dot]: return above
        case [dot, dot]: return above.parent
        default: return above.appending(lastComponent)
        }
    }

    /// The path, or the nearest folder above it that can be looked at: what it would be made in, or what is closed.
    package var nearestThere: FilePath {
        var each = self
        while each.parent != each, (try? FileStatus.of(each)) == nil { each = each.parent }
        return each
    }

    /// What a symbolic link says, where the path is one; for a person who has to mend it.
    package var linkTarget: FilePath? {
        guard let status = try? FileStatus.ifPresent(self), status.kind == .symbolicLink else { return nil }
        return (try? OpenFile(parent, .directoryThroughLink).linkTarget(of: lastComponent)).map { FilePath(bytes: $0) }
    }

    /// Whether this path is `folder`, or lies below it, by its bytes.
    package func isIn(_ folder: FilePath) -> Bool {
        guard bytes.starts(with: folder.bytes) else { return false }
        return bytes.count == folder.bytes.count || folder.bytes.last == slash || bytes[folder.bytes.count] == slash
    }
}

private let dot = UInt8(ascii: ".")
private let slash = UInt8(ascii: "/")
