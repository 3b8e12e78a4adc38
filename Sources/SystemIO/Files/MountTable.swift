// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What is mounted where, as this process sees it (proc(5), `/proc/self/mountinfo`). A bind mount has the device of what it
/// shows, so only this tells it from a folder.
package enum MountTable {
    package struct Mount: Sendable, Equatable {
        /// As statx(2) and `/proc/self/fdinfo` call it.
        package let id: UInt64
        /// The mount that it is mounted on.
        let parent: UInt64
        /// Of the file system, `8:1`: bind mounts of one file system have the same.
        package let device: String
        /// The folder of the file system that is seen at `point`.
        package let root: FilePath
        package let point: FilePath
        /// With the subtype: `ext4`, `nfs4`, `fuse.sshfs`.
        package let type: String
        /// What is mounted: a block device, a server's path.
        package let source: String
        /// This mount alone, and its file system, whatever mount shows it.
        package let isMountedReadOnly: Bool
        package let isFileSystemReadOnly: Bool

        /// Whether the file system is read-only although the mount is not, as the kernel makes it after an error of the disk
        /// (ext4(5), `errors=remount-ro`), or an administrator by another mount. File systems that are never written to are not
        /// meant.
        package var wasMadeReadOnly: Bool {
            isFileSystemReadOnly && !isMountedReadOnly && !Self.neverWritten.contains(type)
        }

        /// The place of a path in the file system itself, whatever of it is mounted where; `nil` where that is not known. NFS calls the
        /// root of each of its mounts `/`, whichever folder of the server that is (Linux, fs/nfs/super.c, `nfs_show_path`), and two
        /// folders of one export have one device.
        /// - Parameter path: a real one that lies in this mount.
        func place(of path: FilePath) -> FilePath? {
            guard path.isIn(point), !["nfs", "nfs4"].contains(type) else { return nil }
            let below = path.bytes.dropFirst(point == "/" ? 0 : point.bytes.count)
            return below.split(separator: UInt8(ascii: "/")).reduce(root) { $0.appending($1) }
        }

        private static let neverWritten: Set<String> = ["iso9660", "squashfs", "erofs", "cramfs", "romfs", "udf"]
    }

    package static func mounts() throws(SystemError) -> [Mount] {
        mounts(in: try OpenFile("/proc/self/mountinfo", .read).readAll())
    }

    static func mounts(in table: [UInt8]) -> [Mount] {
        table.split(separator: UInt8(ascii: "\n")).compactMap { mount($0) }
    }

    /// The mount that a folder lies in. Its path must be a real one.
    /// - Returns: `nil` where the table does not say, as where it is not readable.
    package static func holding(_ folder: FilePath) -> Mount? {
        guard let all = try? mounts() else { return nil }
        // The kernel's word: one mount may hide others, whose points are still in the table.
        if let id = id(holding: folder), let found = all.last(where: { $0.id == id }) { return found }
        return byName(folder, among: all)
    }

    /// The mount that a path lies in as far as its names tell, without a question to any file system.
    /// - Parameter all: as `mounts` gives them: of two at one point the later one is seen.
    package static func byName(_ path: FilePath, among all: [Mount]) -> Mount? {
        all.filter { path.isIn($0.point) }.enumerated()
            .max { ($0.element.point.bytes.count, $0.offset) < ($1.element.point.bytes.count, $1.offset) }?.element
    }

    /// Mount points below a folder, not the folder itself.
    /// - Throws: `SystemError` where the folder is not there.
    package static func points(below folder: FilePath) throws(SystemError) -> [FilePath] {
        try mounts(below: folder).map(\.point)
    }

    /// Those that are seen there: not what another mount hides, above it or over it.
    /// - Throws: `SystemError` where the folder is not there.
    package static func mounts(below folder: FilePath) throws(SystemError) -> [Mount] {
        let root = try folder.resolved()
        let all = try mounts()
        return all.filter { $0.point != root && $0.point.isIn(root) && isSeen($0, among: all) }
    }

    /// What cannot be moved or removed below a folder, because something is mounted there: what is seen there, and what is not, as where
    /// the folder was mounted over itself later. The kernel asks for any mount of this namespace (rename(2), EBUSY).
    /// - Throws: `SystemError` where the folder is not there.
    package static func fixedPoints(below folder: FilePath) throws(SystemError) -> [FilePath] {
        let root = try folder.resolved()
        let all = try mounts()
        let own = holding(root)
        let place = own?.place(of: root)
        return all.filter { mount in
            if mount.point != root, mount.point.isIn(root), isSeen(mount, among: all) { return true }
            guard let place, let parent = all.first(where: { $0.id == mount.parent }), parent.device == own?.device,
                let under = parent.place(of: mount.point)
            else { return false }
            return under != place && under.isIn(place)
        }.map(\.point)
    }

    /// Whether the path of its point leads to it. Told by the table alone: a file system that is asked may never answer.
    static func isSeen(_ mount: Mount, among all: [Mount]) -> Bool {
        let onto = Dictionary(grouping: all, by: \.parent)
        // Where `/` is none of them, as after chroot(2), nothing can be told.
        guard var current = all.first(where: { one in one.point == "/" && !all.contains { $0.id == one.parent } })
        else { return true }
        var path: FilePath = "/"
        var rest = mount.point.bytes.split(separator: UInt8(ascii: "/"))[...]
        while true {
            // Of several on one point each lies on the one before.
            while let next = onto[current.id]?.first(where: { $0.point == path && $0.id != current.id }) {
                current = next
            }
            guard let name = rest.popFirst() else { return current.id == mount.id }
            path = path.appending(name)
        }
    }

    private static func id(holding folder: FilePath) -> UInt64? {
        guard let opened = try? OpenFile(folder, .directoryThroughLink) else { return nil }
        let path = opened.withDescriptor { FilePath("/proc/self/fdinfo/\($0)") }
        guard let bytes = try? OpenFile(path, .read).readAll(limit: 64 << 10) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("mnt_id:") }) else { return nil }
        return withExtendedLifetime(opened) { UInt64(line.dropFirst("mnt_id:".count).filter(\.isNumber)) }
    }

    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`: optional fields end at the dash.
    private static func mount(_ line: ArraySlice<UInt8>) -> Mount? {
        let fields = line.split(separator: UInt8(ascii: " "))
        guard fields.count > 8,
            let dash = fields.indices.dropFirst(6).first(where: { fields[$0].elementsEqual("-".utf8) }),
            dash + 3 < fields.count, let id = UInt64(text(fields[0])), let parent = UInt64(text(fields[1]))
        else { return nil }
        let options = [fields[5], fields[dash + 3]].map { text($0).split(separator: ",").map(String.init) }
        return Mount(
            id: id, parent: parent, device: text(fields[2]), root: FilePath(bytes: unescaped(fields[3])),
            point: FilePath(bytes: unescaped(fields[4])), type: text(fields[dash + 1]),
            source: String(decoding: unescaped(fields[dash + 2]), as: UTF8.self),
            isMountedReadOnly: options[0].contains("ro"),
            // The second is what newer kernels call an ext4 that met an error.
            isFileSystemReadOnly: options[1].contains("ro") || options[1].contains("emergency_ro"))
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field, as: UTF8.self) }

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
