# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The backup service of a stack. Needs messages.sh, processes.sh, stack.sh.

backup_answers() { http_answers "http://$HOST:$BACKUP_PORT/health"; }

start_backup() {
    local key unset_keys=()
    for key in "${STACK_KEYS[@]}"; do unset_keys+=(-u "$key"); done
    say "启动备份服务" "starting the backup service"
    start_detached backup env "${unset_keys[@]}" "$BINARY" --env-file "$DATA/stack.env" serve
    wait_until backup 60 backup_answers && return
    show_tail "$DATA/logs/backup.log"
    die "备份服务没有启动,见 $DATA/logs/backup.log" "the backup service did not start; see $DATA/logs/backup.log"
}

# Long enough for a task at work to end; the service itself bounds it.
stop_backup() { stop_process backup "${MLFLOW_BACKUP_STOP_SECONDS:-120}" leader; }

# A running service keeps the binary and the settings it was started with.
mention_older_service() {
    if [[ $BINARY -nt $DATA/run/backup.pid || $DATA/user.env -nt $DATA/run/backup.pid ]]; then
        say "提示: 程序或 user.env 已更新;重启后生效(--stop 再启动)" \
            "note: the binary or user.env is newer than the running service; --stop and start again to use it"
    fi
}
