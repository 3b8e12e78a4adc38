# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The API's process under supervise, and what is said where there is none. Needs RUN, REVISION, and memory.sh.
# shellcheck disable=SC2034 # supervise reads what is set here

SERVICE='' KNOWN='' STARTS_AT=''

revision() {
    local now=''
    if [[ -r $REVISION ]]; then read -r now <"$REVISION" || true; fi
    printf '%s' "$now"
}

# The API may be refused, as without a token on an address beyond this machine. The container stays then with the reason as its health, and a
# changed secret is looked at.
start_service() {
    SERVICE='' STARTS_AT='' KNOWN=$(revision)
    if mlflow-backup serve --check >"$RUN/refused.new" 2>&1; then
        rm -f -- "$RUN/refused" "$RUN/refused.new"
        mlflow-backup serve --grace 60 &
        SERVICE=$!
        return
    fi
    say_what_goes_on "$RUN/refused.new"
    cat "$RUN/refused.new" >&2
    mv "$RUN/refused.new" "$RUN/refused"
}

# say_what_goes_on FILE: adds to the reason in FILE whether cron's backups are made. What the API alone may not do, such as being open to
# others, is no matter to them; of a setting that nobody takes each of them ends, too.
say_what_goes_on() {
    if mlflow-backup schedule >"$RUN/schedule.new" 2>&1; then
        printf 'API 没有启动；定时备份照常进行 / the API is not started; scheduled backups go on\n' >>"$1"
    else
        cmp -s "$RUN/schedule.new" "$1" || cat "$RUN/schedule.new" >>"$1"
        printf 'API 没有启动，在此之前也不会有定时备份 / the API is not started, and no scheduled backup is made until that is put right\n' >>"$1"
    fi
    rm -f -- "$RUN/schedule.new"
}

stop_service() {
    [[ -n $SERVICE ]] || return 0
    kill "$SERVICE" 2>/dev/null || true
    wait "$SERVICE" || true
}

service_has_ended() { [[ -n $SERVICE ]] && ! kill -0 "$SERVICE" 2>/dev/null; }

# Where the kernel ended it for want of memory the next start would end the same way at once, and the container with it: it waits, twice as
# long each time. Fails where it ended for another reason.
pause_service() {
    [[ $MEMORY_KILLED == yes ]] || return 1
    wait "$SERVICE" || true
    SERVICE='' STARTS_AT=$((SECONDS + PAUSE))
    printf '服务因内存不足被终止，%s 秒后重新启动 / the service was ended for want of memory, and starts again in %s s\n' "$PAUSE" "$PAUSE" >&2
    PAUSE=$((PAUSE < 900 ? PAUSE * 2 : PAUSE))
}
