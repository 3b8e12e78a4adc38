// SPDX-License-Identifier: Apache-2.0

import SystemIO
import Wording

/// What the kernel has ended of this container for want of memory. The count is the container's, and goes with it.
package enum MemoryKills {
    /// As cgroup v2 or v1 counts; 0 where neither does. A machine's own group, which only v1 counts for, says nothing of this service.
    package static func count(in cgroups: FilePath = "/sys/fs/cgroup") -> Int {
        let group = cgroups.appending("memory")
        if let count = kills(cgroups.appending("memory.events")) { return count }
        // Only the first group of a machine has one (cgroups(7)).
        if (try? FileStatus.ifPresent(group.appending("release_agent"))) != nil { return 0 }
        return kills(group.appending("memory.oom_control")) ?? 0
    }

    private static func kills(_ file: FilePath) -> Int? {
        guard let bytes = try? OpenFile(file, .read).readAll() else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("oom_kill ") }
            .flatMap { Int($0.dropFirst("oom_kill ".count)) }
    }

    /// What is added to the reason of a task whose process is gone.
    static func sentence(_ count: Int) -> BilingualText? {
        guard count > 0 else { return nil }
        return BilingualText(
            zh: "内核因内存不足终止过本容器的 \(count) 个进程：请增大 BACKUP_MEMORY（容器的内存上限）。",
            en:
                " For want of memory the kernel has ended \(count) of the processes of this container: raise BACKUP_MEMORY, its bound of memory."
        )
    }
}
