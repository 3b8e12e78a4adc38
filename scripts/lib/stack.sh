# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The data folder of a stack and its settings. Needs messages.sh, processes.sh, REPO, DATA and the three ports.

# The keys stack.env sets. The caller's environment may not change them for the service.
readonly STACK_KEYS=(
    BACKUP_DIR BACKUP_API_PORT BACKUP_API_ADDRESS ARTIFACTS_DIR MLFLOW_URL PG_BIN_DIR
    BACKUP_SCRIPTS_DIR MLFLOW_UPGRADE_COMMAND DATABASE_UPGRADE_PROGRAM
    POSTGRES_HOST POSTGRES_PORT POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE
    BACKEND_STORE_URI MLFLOW_BACKEND_STORE_URI MLFLOW_ARTIFACTS_DESTINATION
)

# Whether every folder above may be passed by anyone, so that the `postgres` user reaches its own below.
open_to_others() {
    local folder=$1 mode
    while [[ $folder != / ]]; do
        mode=$(stat -c %a -- "$folder" 2>/dev/null) || mode=755
        (((8#$mode & 1) == 1)) || return 1
        folder=$(dirname -- "$folder")
    done
}

# .mlflow-stack in the repository; root's clone under /root (closed to `postgres`) keeps its data in /var/lib.
default_data_dir() {
    local folder=$REPO/.mlflow-stack
    if [[ $EUID -eq 0 && ! -e $folder ]] && ! open_to_others "$REPO"; then folder=/var/lib/mlflow-stack; fi
    printf '%s' "$folder"
}

# The value of KEY in the stack.env of an earlier run, or nothing.
saved_setting() {
    [[ -r $DATA/stack.env ]] || return 0
    sed -n "s/^$1=//p" "$DATA/stack.env" | head -n 1
}

# Also for root: what it wrote into another's stack, that user's services could no longer change.
check_owner() {
    local owner
    [[ -e $DATA/stack.env && ! -O $DATA/stack.env ]] || return 0
    owner=$(stat -c %U -- "$DATA/stack.env")
    die "$DATA 属于用户 $owner;请以该用户运行" "$DATA belongs to the user $owner; run this as that user"
}

prepare_data_dir() {
    check_owner
    [[ $DATA != *[[:cntrl:]]* ]] || die "数据目录名含控制字符" "the data folder's name holds control characters"
    # initdb and pg_ctl hand the name to a shell between double quotes; MLflow takes its artifacts' folder for
    # an address and decodes it, so the files would land in another folder than the one that is backed up.
    [[ $DATA != *[\`\$\"\\%?\#]* ]] ||
        die "数据目录名不能含 \` \$ \" % ? # 或反斜杠: $DATA" \
            "the data folder's name may not hold \` \$ \" % ? # or a backslash: $DATA"
    # The postgres user passes through the folder, the logs and run; everything else is closed.
    if [[ ! -d $DATA ]]; then
        (umask 022 && mkdir -p -- "$DATA") ||
            die "不能创建数据目录: $DATA" "cannot make the data folder: $DATA"
        chmod 711 -- "$DATA"
    fi
    [[ -w $DATA && -x $DATA ]] || die "数据目录不可写: $DATA" "the data folder is not writable: $DATA"
    if [[ $EUID -eq 0 ]] && ! open_to_others "$DATA"; then
        die "postgres 用户进不了 $DATA(上级目录权限)。请用 --data /var/lib/mlflow-stack" \
            "the postgres user cannot reach $DATA (modes of the folders above); use --data /var/lib/mlflow-stack"
    fi
    local name
    for name in logs run; do [[ -d $DATA/$name ]] || mkdir -m 711 -- "$DATA/$name"; done
    for name in secrets artifacts backups database; do [[ -d $DATA/$name ]] || mkdir -m 700 -- "$DATA/$name"; done
}

# One script at a time works on a data folder. Sets STACK_LOCK.
take_lock() {
    exec {STACK_LOCK}>>"$DATA/run/lock"
    flock -w 300 "$STACK_LOCK" ||
        die "另一个 scripts/up 正在使用 $DATA" "another scripts/up is at work on $DATA"
}

# write_file MODE PATH: stdin, whole or not at all.
write_file() {
    local staging=$2.new
    (umask 077 && cat >"$staging")
    chmod "$1" -- "$staging"
    mv -f -- "$staging" "$2"
}

# The password is hexadecimal, so no file or statement it goes into has to escape it. pgpass is libpq's form.
write_secrets() {
    [[ $KIND == postgres ]] || return 0
    local password=$DATA/secrets/postgres_password
    [[ -s $password ]] || { random_hex 24 && printf '\n'; } | write_file 600 "$password"
    printf '%s:*:*:%s:%s\n' "$HOST" "$DATABASE_USER" "$(<"$password")" | write_file 600 "$DATA/secrets/pgpass"
}

# The address names the file of the password, not the password: argv, logs and errors stay clean of it.
backend_store_uri() {
    if [[ $KIND == sqlite ]]; then
        # An exchange of the whole database keeps writers waiting: longer than the usual five seconds.
        printf 'sqlite:///%s?timeout=60' "$(database_file)"
        return
    fi
    local passfile
    passfile=$(jq -rn --arg path "$DATA/secrets/pgpass" '$path | @uri')
    printf 'postgresql+psycopg://%s@%s:%s/%s?passfile=%s' \
        "$DATABASE_USER" "$HOST" "$POSTGRES_PORT" "$DATABASE" "$passfile"
}

# Of SQLite. What belongs to it lies beside it, so it has a folder of its own.
database_file() { printf '%s' "$DATA/database/mlflow.db"; }

# For a person.
database_place() {
    if [[ $KIND == sqlite ]]; then database_file; else printf '%s' "$HOST:$POSTGRES_PORT ($DATABASE, $DATABASE_USER)"; fi
}

# Where the backup service finds the database.
database_settings() {
    if [[ $KIND == sqlite ]]; then
        printf '%s\n' "BACKEND_STORE_URI=$(backend_store_uri)"
        return
    fi
    printf '%s\n' \
        "POSTGRES_HOST=$HOST" \
        "POSTGRES_PORT=$POSTGRES_PORT" \
        "POSTGRES_DB=$DATABASE" \
        "POSTGRES_USER=$DATABASE_USER" \
        "POSTGRES_PASSWORD_FILE=$DATA/secrets/postgres_password" \
        "PG_BIN_DIR=$POSTGRES_BIN"
}

# The user's own settings (SMTP_URL, BACKUP_SCHEDULE …) live in user.env, which is never written here.
user_settings() {
    local line key
    [[ -e $DATA/user.env ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        key=${line%%=*}
        if [[ " ${STACK_KEYS[*]} " == *" $key "* ]]; then
            warn "忽略 user.env 中的 $key(由 scripts/up 设定)" "ignoring $key in user.env (scripts/up sets it)"
            continue
        fi
        printf '%s\n' "$line"
    done <"$DATA/user.env"
}

write_settings() {
    {
        printf '%s\n' \
            "# Written by scripts/up at each start. Your own settings belong in user.env beside it." \
            "BACKUP_DIR=$DATA/backups" \
            "BACKUP_API_ADDRESS=$HOST" \
            "BACKUP_API_PORT=$BACKUP_PORT" \
            "ARTIFACTS_DIR=$DATA/artifacts" \
            "MLFLOW_URL=http://$HOST:$MLFLOW_PORT"
        database_settings
        printf '%s\n' \
            "BACKUP_SCRIPTS_DIR=$REPO/scripts/backup_services" \
            "MLFLOW_UPGRADE_COMMAND=$(printf '%q' "$DATA/mlflow-db-upgrade")" \
            "DATABASE_UPGRADE_PROGRAM=$DATA/upgrade-database" \
            "# As MLflow itself reads them, for mlflow gc and mlflow db." \
            "MLFLOW_BACKEND_STORE_URI=$(backend_store_uri)" \
            "MLFLOW_ARTIFACTS_DESTINATION=$DATA/artifacts"
        user_settings
    } | write_file 600 "$DATA/stack.env"
    # Variables that a shell happens to have must not point a restore at another stack.
    local key unset_keys=''
    for key in "${STACK_KEYS[@]}"; do unset_keys+=" -u $key"; done
    printf '#!/bin/sh\n# Written by scripts/up: mlflow-backup with the settings of this stack.\nexec env%s %s --env-file %s "$@"\n' \
        "$unset_keys" "$(quoted "$BINARY")" "$(quoted "$DATA/stack.env")" | write_file 700 "$DATA/mlflow-backup"
}

# What upgrades the live database, and what a restore runs on the restored one, which libpq's variables name. No address holds a password.
write_upgrade_command() {
    printf '#!/bin/sh\n# Written by scripts/up: what a restore upgrades the database of an older MLflow with.\nexec %s -I %s\n' \
        "$(quoted "$PYTHON_ENVIRONMENT/bin/python")" "$(quoted "$REPO/scripts/upgrade_database.py")" |
        write_file 700 "$DATA/upgrade-database"
    printf '#!/bin/sh\n# Written by scripts/up: brings the database of this stack to the schema of its MLflow.\nset -eu\nMLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true GIT_PYTHON_REFRESH=quiet \\\n    %s -m mlflow db upgrade %s\necho "数据库结构已是最新 / the database has the schema of this MLflow"\n' \
        "$(quoted "$PYTHON_ENVIRONMENT/bin/python")" "$(quoted "$(backend_store_uri)")" |
        write_file 700 "$DATA/mlflow-db-upgrade"
}

# For /bin/sh, which does not read every form that printf %q writes.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }
