# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Backups that cron or `docker exec` started are no children of supervise: they would be killed with its container. Needs APP.

running_backups() { pgrep -f -x "$APP/libexec/mlflow-backup backup( .*)?"; }
# What writes down how the backup ended, and may be about to start one.
running_jobs() { pgrep -f "$APP/bin/scheduled-backup"; }

# end_backups SECONDS: asks each that runs, once, to end, and waits so long until all have.
end_backups() {
    local asked=' ' pid last=$((SECONDS + $1))
    while running_backups >/dev/null || running_jobs >/dev/null; do
        if [[ $SECONDS -ge $last ]]; then
            printf '备份没有及时结束，将被终止 / a backup has not ended in time, and is killed\n' >&2
            # By number: in a trap it is else what was cut short by it.
            return 0
        fi
        for pid in $(running_backups); do
            if [[ $asked != *" $pid "* ]]; then
                asked+="$pid "
                kill -TERM "$pid" 2>/dev/null || true
            fi
        done
        sleep 0.2
    done
}
