// SPDX-License-Identifier: Apache-2.0

extension FileSystem {
    /// Whether the file system below a folder is read-only although the mount is not, as the kernel makes it after an error of the
    /// disk (ext4(5), `errors=remount-ro`), or an administrator elsewhere. File systems that are never written to are not meant.
    /// False where the mount table does not say.
    public static func wasMadeReadOnly(holding folder: FilePath) -> Bool {
        guard let opened = try? OpenFile(folder, .directoryThroughLink) else { return false }
        let path = opened.withDescriptor { FilePath("/proc/self/fdinfo/\($0)") }
        guard let noted = text(path), let line = noted.first(where: { $0.hasPrefix("mnt_id:") }),
            let id = Int(line.dropFirst("mnt_id:".count).filter(\.isNumber)),
            let mount = text("/proc/self/mountinfo")?.first(where: { $0.hasPrefix("\(id) ") })
        else { return false }
        // `36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/sda1 ro,errors=remount-ro` (proc(5)).
        let fields = mount.split(separator: " ")
        guard fields.count > 8, let dash = fields.dropFirst(6).firstIndex(of: "-"), dash + 3 < fields.count else {
            return false
        }
        let own = fields[5].split(separator: ",")
        let below = fields[dash + 3].split(separator: ",")
        return !own.contains("ro") && (below.contains("ro") || below.contains("emergency_ro"))
            && !neverWritten.contains(String(fields[dash + 1]))
    }

    private static let neverWritten: Set<String> = ["iso9660", "squashfs", "erofs", "cramfs", "romfs", "udf"]

    private static func text(_ path: FilePath) -> [Substring]? {
        guard let bytes = try? OpenFile(path, .read).readAll(limit: 16 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
