# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What is mounted at a folder of this container, for messages: the volume by its name where Docker's own driver made it.

# chown_command FOLDER: what a person types on the host so that FOLDER's files are the stack's.
chown_command() {
    local root volume=''
    root=$(awk -v at="$1" '$5 == at { print $4 }' "${MOUNTINFO:-/proc/self/mountinfo}" | tail -n 1)
    [[ $root =~ /volumes/([A-Za-z0-9_.-]+)/_data$ ]] && volume=${BASH_REMATCH[1]}
    if [[ -n $volume ]]; then
        printf 'docker run --rm --user 0 -v %s:/a --entrypoint chown mlflow-backup:local -R 3110:3110 /a' "$volume"
    else
        # A folder of the host, or a volume of another driver: whatever this container has there.
        printf 'docker run --rm --user 0 --volumes-from %s --entrypoint chown mlflow-backup:local -R 3110:3110 %s' "$HOSTNAME" "$1"
    fi
}

# refuse_unwritable FOLDER: needs fail.
refuse_unwritable() {
    if ! awk -v at="$1" '$5 == at { found = 1 } END { exit !found }' "${MOUNTINFO:-/proc/self/mountinfo}"; then
        fail "$1 不可写：这里没有挂载任何卷。请把 MLflow 的 artifacts 卷挂载到 $1" "$1 is not writable: no volume is mounted there. Mount the volume of MLflow's artifacts at $1"
    fi
    fail "$1 不可写（卷来自别处？），请执行：$(chown_command "$1")" "$1 is not writable (a volume from elsewhere?). Run: $(chown_command "$1")"
}
