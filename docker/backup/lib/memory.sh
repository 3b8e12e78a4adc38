# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the kernel has ended in this container for want of memory. The count is the container's, and goes with it. Needs ROOT, RUN.
# shellcheck disable=SC2034 # service.sh reads what is set here

# memory_kills: how many processes, as cgroup v2 or v1 counts; 0 where neither does.
memory_kills() {
    local file count
    for file in "$ROOT/sys/fs/cgroup/memory.events" "$ROOT/sys/fs/cgroup/memory/memory.oom_control"; do
        [[ -r $file ]] || continue
        count=$(sed -n 's/^oom_kill //p' "$file")
        printf '%s' "${count:-0}"
        return
    done
    printf 0
}

# Sets MEMORY_KILLED to whether there were more since the last look, says so then, and leaves it to the health check.
look_at_memory() {
    local now
    now=$(memory_kills) MEMORY_KILLED=no
    if [[ $now -gt $KILLS ]]; then
        MEMORY_KILLED=yes
        printf '内存不足：内核已终止本容器的 %s 个进程（共 %s 个），备份可能因此失败。请在 .env 中增大 BACKUP_MEMORY，再运行 up -d / out of memory: the kernel has ended %s of the processes of this container (%s in all), of which backups may fail. Raise BACKUP_MEMORY in .env, then up -d\n' \
            $((now - KILLS)) "$now" $((now - KILLS)) "$now" | tee "$RUN/memory" >&2
    fi
    KILLS=$now
}
