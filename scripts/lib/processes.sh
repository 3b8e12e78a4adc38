# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Detached processes known by pid files, and the TCP ports they need. Needs messages.sh and DATA.
#
# A pid file holds "PID START TOKEN". START is the process's start time (proc(5), field 22) with the boot's
# id, so a number the kernel gave to somebody else is never taken for ours. TOKEN is in the environment of the
# process and of all it started, so what it left behind can be found and nothing else is ever ended.

readonly HOST=127.0.0.1

# random_hex BYTES
random_hex() { od -An -v -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

# process_start PID: prints its START; fails when it is gone or a zombie.
process_start() {
    local stat fields boot
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    # The name in parentheses may hold spaces: count from behind it.
    read -r -a fields <<<"${stat##*) }"
    [[ ${fields[0]} != [ZX] ]] || return 1
    boot=$(</proc/sys/kernel/random/boot_id)
    printf '%s-%s' "${fields[19]}" "$boot"
}

# record_process NAME PID TOKEN
record_process() {
    local start
    start=$(process_start "$2") || return 1
    printf '%s %s %s\n' "$2" "$start" "$3" >"$DATA/run/$1.pid"
}

# running_pid NAME: prints the pid of a process of ours that lives.
running_pid() {
    local pid start token now
    [[ -r $DATA/run/$1.pid ]] || return 1
    read -r pid start token <"$DATA/run/$1.pid" || return 1
    now=$(process_start "$pid") && [[ $now == "$start" && -n $token ]] || return 1
    printf '%s' "$pid"
}

# What we start must hold neither our lock nor a pipe of whoever called us: both would wait for its end.
# Call it in a subshell. 255 is bash's own, and closes by itself.
close_inherited_files() {
    local file number
    for file in /proc/self/fd/*; do
        number=${file##*/}
        if ((number > 2 && number != 255)); then exec {number}>&-; fi
    done
}

# start_detached NAME COMMAND…: a session of its own, logging to logs/NAME.log.
start_detached() {
    local name=$1 token pid
    shift
    token=$(random_hex 8)
    rotate_log "$name"
    (
        umask 077
        cd -- "$DATA" || exit 1
        close_inherited_files
        export MLFLOW_STACK_TOKEN=$token
        exec setsid -- "$@" </dev/null >>"$DATA/logs/$name.log" 2>&1
    ) &
    pid=$!
    disown "$pid"
    record_process "$name" "$pid" "$token" || true
}

# Logs only grow; one old one is kept.
rotate_log() {
    local log=$DATA/logs/$1.log size
    size=$(stat -c %s -- "$log" 2>/dev/null || printf 0)
    if [[ $size -gt 33554432 ]]; then mv -f -- "$log" "$log.1"; fi
}

# wait_until NAME SECONDS COMMAND…: until COMMAND succeeds; fails at once when the process NAME has died.
wait_until() {
    local name=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        running_pid "$name" >/dev/null || return 1
        [[ $SECONDS -lt $deadline ]] || return 1
        sleep 0.3
    done
    # Somebody else's answer on the same port does not count.
    running_pid "$name" >/dev/null
}

# token_pids TOKEN: the processes that carry it.
token_pids() {
    local file
    while IFS= read -r file; do
        file=${file#/proc/}
        printf '%s\n' "${file%/environ}"
    done < <(grep -lszxF -- "MLFLOW_STACK_TOKEN=$1" /proc/[0-9]*/environ || true)
}

# stop_process NAME SECONDS leader|group: asks, waits, and only then kills; then what it left behind.
# `leader` lets a service end its own children in its own order; `group` asks all of them at once.
stop_process() {
    local name=$1 seconds=$2 pid start token target rest deadline
    [[ -r $DATA/run/$name.pid ]] || return 0
    read -r pid start token <"$DATA/run/$name.pid" || true
    if running_pid "$name" >/dev/null; then
        target=$pid
        if [[ $3 == group ]]; then target=-$pid; fi
        kill -TERM -- "$target" ||
            die "无权停止 $name(进程 $pid)" "not allowed to stop $name (process $pid)"
        deadline=$((SECONDS + seconds))
        while running_pid "$name" >/dev/null && [[ $SECONDS -lt $deadline ]]; do sleep 0.2; done
        if running_pid "$name" >/dev/null; then
            warn "$name 在 $seconds 秒内没有停止,强制结束" "$name did not stop within $seconds s; killing it"
            kill -KILL -- "$pid" || true
        fi
    fi
    if [[ -n $token ]]; then
        for rest in $(token_pids "$token"); do kill -TERM "$rest" 2>/dev/null || true; done
        deadline=$((SECONDS + 5))
        while [[ -n $(token_pids "$token") && $SECONDS -lt $deadline ]]; do sleep 0.2; done
        for rest in $(token_pids "$token"); do kill -KILL "$rest" 2>/dev/null || true; done
    fi
    rm -f -- "$DATA/run/$name.pid"
}

# A connection is the test: it needs no tool. A port that neither answers nor refuses counts as taken.
port_in_use() {
    local code=0
    timeout 2 bash -c "exec 3<>/dev/tcp/$HOST/$1" 2>/dev/null || code=$?
    [[ $code -eq 0 || $code -eq 124 ]]
}

http_answers() { curl -fsS --noproxy '*' --max-time 3 -o /dev/null "$1"; }
