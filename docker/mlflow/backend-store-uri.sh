# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# MLflow's database as an address without the password. For the server and for what works on its database beside it.

fail() {
    printf '错误: %s\nerror: %s\n' "$1" "$2" >&2
    exit 1
}

# use_backend_store FILE: sets and exports MLFLOW_BACKEND_STORE_URI. FILE gets the password in libpq's own form, so that
# it is in no argument, address or log.
use_backend_store() {
    local password
    [[ -r ${POSTGRES_PASSWORD_FILE:?} ]] ||
        fail "读不到密码文件 $POSTGRES_PASSWORD_FILE" "the password file $POSTGRES_PASSWORD_FILE cannot be read"
    password=$(<"$POSTGRES_PASSWORD_FILE")
    password=${password//\\/\\\\}
    (umask 077 && printf '*:*:*:*:%s\n' "${password//:/\\:}" >"$1")
    MLFLOW_BACKEND_STORE_URI="postgresql+psycopg://$(encoded "$POSTGRES_USER")@${POSTGRES_HOST:-postgres}:${POSTGRES_PORT:-5432}"
    MLFLOW_BACKEND_STORE_URI+="/$(encoded "$POSTGRES_DB")?passfile=$1"
    export MLFLOW_BACKEND_STORE_URI
}

encoded() { jq -rn --arg text "$1" '$text | @uri'; }
