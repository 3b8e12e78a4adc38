#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the official image does, as far as the stack relies on it.
set -Eeuo pipefail
[[ ${1:-} == postgres ]] || exec "$@"
if [[ $(id -u) -eq 0 ]]; then
    if [[ -n ${POSTGRES_PASSWORD_FILE:-} ]]; then
        POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE")
        export POSTGRES_PASSWORD
        unset POSTGRES_PASSWORD_FILE
    fi
    chown -R postgres:postgres "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi
if [[ ! -s $PGDATA/PG_VERSION ]]; then
    : "${POSTGRES_PASSWORD:?superuser password is not specified}"
    initdb -D "$PGDATA" -U "${POSTGRES_USER:=postgres}" --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust \
        --auth-host=trust --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    printf "listen_addresses = '*'\n" >>"$PGDATA/postgresql.conf"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    if [[ ${POSTGRES_DB:=$POSTGRES_USER} != postgres ]]; then
        psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
    fi
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
unset POSTGRES_PASSWORD
exec "$@"
