# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The PostgreSQL cluster of a stack. Needs messages.sh, processes.sh, packages.sh, stack.sh.
# As root the server runs as Debian's `postgres` user, since it refuses to run as root.

readonly DATABASE=mlflow
readonly DATABASE_USER=mlflow_user

# as_postgres COMMAND…: as the account that owns the cluster.
as_postgres() {
    if [[ $EUID -eq 0 ]]; then runuser -u postgres -- "$@"; else "$@"; fi
}

own_by_postgres() {
    if [[ $EUID -eq 0 ]]; then chown -h postgres:postgres -- "$@"; fi
}

superuser_name() {
    if [[ $EUID -eq 0 ]]; then printf postgres; else id -un; fi
}

# Sets POSTGRES_BIN. An existing cluster fixes the version that can serve it.
choose_postgres() {
    local version=$POSTGRES_VERSION existing
    if existing=$(as_postgres cat -- "$DATA/postgres/PG_VERSION" 2>/dev/null); then version=$existing; fi
    POSTGRES_BIN=/usr/lib/postgresql/$version/bin
    [[ -x $POSTGRES_BIN/postgres ]] ||
        die "数据目录属于 PostgreSQL $version,但它没有安装" "the data folder is PostgreSQL $version's, which is not installed"
}

# A socket's address holds 107 bytes, so a long data path gets a short folder instead. Sets SOCKET_DIR.
choose_socket_dir() {
    local LC_ALL=C hash
    SOCKET_DIR=$DATA/run/socket
    if [[ ${#SOCKET_DIR} -gt 85 ]]; then
        hash=$(printf '%s' "$DATA" | sha256sum)
        SOCKET_DIR=/tmp/mlflow-stack-${hash:0:16}
    fi
}

prepare_socket_dir() {
    local owner
    if mkdir -m 700 -- "$SOCKET_DIR" 2>/dev/null; then own_by_postgres "$SOCKET_DIR"; fi
    owner=$(stat -c %U -- "$SOCKET_DIR")
    [[ ! -L $SOCKET_DIR && $owner == "$(superuser_name)" ]] ||
        die "套接字目录属于别人: $SOCKET_DIR" "the socket folder belongs to somebody else: $SOCKET_DIR"
}

# Made under another name and renamed when whole: an interrupted run leaves no half a cluster.
create_cluster() {
    local log=$DATA/logs/initdb.log staging=$DATA/postgres.new
    if as_postgres test -e "$DATA/postgres/PG_VERSION"; then return; fi
    say "创建 PostgreSQL ${POSTGRES_BIN//[!0-9]/} 数据库集群" "creating the PostgreSQL ${POSTGRES_BIN//[!0-9]/} cluster"
    rm -rf -- "$staging"
    mkdir -m 700 -- "$staging"
    own_by_postgres "$staging"
    if ! as_postgres "$POSTGRES_BIN/initdb" -D "$staging" -U "$(superuser_name)" --encoding=UTF8 --locale=C.UTF-8 \
        --data-checksums --auth-local=peer --auth-host=scram-sha-256 >"$log" 2>&1; then
        show_tail "$log"
        die "initdb 失败" "initdb failed"
    fi
    printf "%s\n" "include_if_exists = 'mlflow-stack.conf'" | as_postgres tee -a "$staging/postgresql.conf" >/dev/null
    # An empty folder may stand there, as one made by hand; rename replaces nothing else.
    mv -T -- "$staging" "$DATA/postgres"
}

write_postgres_settings() {
    printf '%s\n' \
        "# Written by scripts/up at each start." \
        "listen_addresses = '$HOST'" \
        "port = $POSTGRES_PORT" \
        "unix_socket_directories = '${SOCKET_DIR//\'/\'\'}'" \
        "password_encryption = 'scram-sha-256'" \
        "log_line_prefix = '%m [%p] %q%u@%d '" |
        as_postgres tee "$DATA/postgres/mlflow-stack.conf" >/dev/null
}

# super_sql DATABASE [PSQL_ARGUMENT…]: statements on stdin, so no secret is ever an argument.
super_sql() {
    local database=$1
    shift
    as_postgres "$POSTGRES_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$SOCKET_DIR" -p "$POSTGRES_PORT" \
        -U "$(superuser_name)" -d "$database" "$@"
}

# The role owns its database and may create others, which a restore does; it is no superuser.
# Done once in a cluster's life: a restore cut short may have the database under another name for a moment,
# and an empty one in its place would stand in the way of its journal.
create_database() {
    local password
    password=$(<"$DATA/secrets/postgres_password")
    # The server would log a statement that fails, with the password in it.
    super_sql postgres <<SQL
SET log_min_error_statement = panic;
SET log_statement = 'none';
DO \$\$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$DATABASE_USER') THEN
        CREATE ROLE $DATABASE_USER;
    END IF;
END \$\$;
ALTER ROLE $DATABASE_USER LOGIN CREATEDB PASSWORD '$password';
SELECT 'CREATE DATABASE $DATABASE OWNER $DATABASE_USER'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$DATABASE') \gexec
SQL
}

postgres_answers() { "$POSTGRES_BIN/pg_isready" -q -t 3 -h "$HOST" -p "$POSTGRES_PORT"; }

cluster_pid() { as_postgres head -n 1 -- "$DATA/postgres/postmaster.pid" 2>/dev/null; }

# Started by hand with pg_ctl, it is ours all the same.
adopt_postgres() {
    if running_pid postgres >/dev/null; then return; fi
    if ! as_postgres "$POSTGRES_BIN/pg_ctl" -D "$DATA/postgres" status >/dev/null 2>&1; then return; fi
    record_process postgres "$(cluster_pid)" none
}

start_postgres() {
    local log=$DATA/logs/postgres.log
    create_cluster
    prepare_socket_dir
    write_postgres_settings
    rotate_log postgres
    (umask 077 && touch -- "$log")
    own_by_postgres "$log"
    say "启动 PostgreSQL" "starting PostgreSQL"
    if ! (close_inherited_files && as_postgres "$POSTGRES_BIN/pg_ctl" -D "$DATA/postgres" -l "$log" -s -w -t 60 start \
        </dev/null >"$DATA/logs/pg_ctl.log" 2>&1); then
        show_tail "$DATA/logs/pg_ctl.log"
        show_tail "$log"
        die "PostgreSQL 没有启动" "PostgreSQL did not start"
    fi
    record_process postgres "$(cluster_pid)" none
    if ! as_postgres test -e "$DATA/postgres/mlflow-stack.created"; then
        create_database
        as_postgres touch -- "$DATA/postgres/mlflow-stack.created"
    fi
}

stop_postgres() {
    if ! running_pid postgres >/dev/null; then
        rm -f -- "$DATA/run/postgres.pid"
        return
    fi
    as_postgres "$POSTGRES_BIN/pg_ctl" -D "$DATA/postgres" -s -w -t 60 -m fast stop ||
        die "PostgreSQL 没有停止,见 $DATA/logs/postgres.log" "PostgreSQL did not stop; see $DATA/logs/postgres.log"
    rm -f -- "$DATA/run/postgres.pid"
}
